import Foundation

/// A certificate and key in a folder of their own, made by `openssl` and removed with this.
final class CertificateFixture: Sendable {
    let folder: URL

    var certificate: String { folder.appending(path: "cert.pem").path() }
    var key: String { folder.appending(path: "key.pem").path() }

    init(commonName: String = "first") async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "mirror-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await issue(commonName: commonName)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// Replaces both files.
    func issue(commonName: String) async throws {
        _ = try await Command.run(
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            key,
            "-out",
            certificate,
            "-days",
            "2",
            "-subj",
            "/CN=\(commonName)",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1"
        )
    }
}

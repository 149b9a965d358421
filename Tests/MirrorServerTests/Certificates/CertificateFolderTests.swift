import Foundation
import MirrorServer
import Testing

@Suite struct CertificateFolderTests {
    @Test func certificateStandsUpToOpenSSL() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let outcome = try folder.certificates.fill(
            hosts: ["Live.Example.com", "192.0.2.7", "localhost"],
            isForced: false,
            now: Date()
        )
        #expect(outcome.written.count == 4)
        #expect(outcome.left.isEmpty)
        for host in ["localhost", "live.example.com"] {
            let verified = try openSSL(
                "verify",
                "-x509_strict",
                "-purpose",
                "sslserver",
                "-verify_hostname",
                host,
                "-CAfile",
                folder.file("ca.pem"),
                folder.file("cert.pem")
            )
            #expect(verified.contains("cert.pem: OK"), "\(verified)")
        }
        for address in ["127.0.0.1", "::1", "192.0.2.7"] {
            let verified = try openSSL(
                "verify",
                "-x509_strict",
                "-verify_ip",
                address,
                "-CAfile",
                folder.file("ca.pem"),
                folder.file("cert.pem")
            )
            #expect(verified.contains("cert.pem: OK"), "\(verified)")
        }
        let stranger = try openSSL(
            "verify",
            "-verify_hostname",
            "other.example.com",
            "-CAfile",
            folder.file("ca.pem"),
            folder.file("cert.pem")
        )
        #expect(stranger.contains("hostname mismatch"))
    }

    @Test func certificateSaysWhatItIsForAndForHowLong() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        _ = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        let text = try openSSL("x509", "-noout", "-text", "-in", folder.file("cert.pem"))
        #expect(text.contains("ASN1 OID: prime256v1"))
        #expect(text.contains("CA:FALSE"))
        #expect(text.contains("TLS Web Server Authentication"))
        #expect(text.contains("Digital Signature"))
        #expect(text.contains("X509v3 Subject Key Identifier"))
        #expect(text.contains("X509v3 Authority Key Identifier"))
        #expect(
            text.contains(
                "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1\n"
            )
        )
        let authority = try openSSL("x509", "-noout", "-text", "-in", folder.file("ca.pem"))
        #expect(authority.contains("CA:TRUE, pathlen:0"))
        #expect(authority.contains("Certificate Sign, CRL Sign"))
        // 397 days is the most that browsers take; openssl exits 1 when it ends within the time.
        let end = try openSSL(
            "x509",
            "-noout",
            "-checkend",
            "\(397 * 86_400)",
            "-in",
            folder.file("cert.pem")
        )
        #expect(end.contains("Certificate will expire"))
    }

    @Test func keysAreForTheOwnerAlone() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        _ = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        for (name, mode) in [
            ("key.pem", 0o600), ("ca-key.pem", 0o600), ("cert.pem", 0o644), ("ca.pem", 0o644),
        ] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
            #expect(attributes[.posixPermissions] as? Int == mode)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.sorted() == ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"])
    }

    @Test func whatIsThereStaysUnlessForced() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let first = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        let before = try folder.contents()
        let second = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        #expect(second.written.isEmpty)
        #expect(second.left == [folder.file("cert.pem"), folder.file("key.pem")])
        #expect(try folder.contents() == before)
        let end = try #require(second.notValidAfter)
        #expect(abs(end.timeIntervalSince(try #require(first.notValidAfter))) < 1)

        _ = try folder.certificates.fill(hosts: [], isForced: true, now: Date())
        let after = try folder.contents()
        #expect(Set(after.values).isDisjoint(with: before.values))
    }

    @Test func certificateOfSomebodyElseStaysAlone() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write("mine", to: "cert.pem")
        try folder.write("mine", to: "key.pem")
        let outcome = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        #expect(outcome.written.isEmpty)
        #expect(outcome.notValidAfter == nil)
        #expect(try folder.contents().count == 2)
    }

    @Test func deletedCertificateIsMadeAnewUnderTheSameAuthority() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        _ = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        let before = try folder.contents()
        try folder.remove("cert.pem")
        try folder.remove("key.pem")
        let outcome = try folder.certificates.fill(hosts: ["b.test"], isForced: false, now: Date())
        #expect(outcome.written == [folder.file("cert.pem"), folder.file("key.pem")])
        #expect(try folder.contents()["ca.pem"] == before["ca.pem"])
        let verified = try openSSL(
            "verify",
            "-verify_hostname",
            "b.test",
            "-CAfile",
            folder.file("ca.pem"),
            folder.file("cert.pem")
        )
        #expect(verified.contains("cert.pem: OK"), "\(verified)")
    }

    @Test func halfAPairIsAnError() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        _ = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        try folder.remove("key.pem")
        let expected = CertificateFolder.Failure.halfPair(
            present: folder.file("cert.pem"),
            missing: folder.file("key.pem")
        )
        #expect(throws: expected) {
            try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        }
        _ = try folder.certificates.fill(hosts: [], isForced: true, now: Date())
        #expect(try folder.contents().count == 4)
    }

    @Test func authorityWithAnotherKeyIsAnError() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        _ = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        let key = try folder.contents()["key.pem"]
        try folder.write(try #require(key), to: "ca-key.pem")
        try folder.remove("cert.pem")
        try folder.remove("key.pem")
        #expect(throws: CertificateFolder.Failure.authorityUnusable(folder.file("ca.pem"))) {
            try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        }
    }

    @Test func expiredCertificateIsTold() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let past = Date() - 500 * 86_400
        _ = try folder.certificates.fill(hosts: [], isForced: false, now: past)
        let outcome = try folder.certificates.fill(hosts: [], isForced: false, now: Date())
        #expect(outcome.summary.contains("expired on"))
    }

    @Test(arguments: ["", "a b", "-a", "a..b", "http://a", "*", "*.com", "ä.de", "a_b"])
    func hostThatIsNoneIsAnError(host: String) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        #expect(throws: CertificateFolder.Failure.badHost(host)) {
            try folder.certificates.fill(hosts: [host], isForced: false, now: Date())
        }
        #expect(try folder.contents().isEmpty)
    }

    @Test func folderThatCannotBeMadeIsAnError() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write("a file", to: "taken")
        #expect(throws: CertificateFolder.Failure.self) {
            try CertificateFolder(path: folder.file("taken"))
                .fill(hosts: [], isForced: false, now: Date())
        }
    }

    private func openSSL(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}

/// A folder for one test, which removes it when it is done.
private struct TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "mirror-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    var certificates: CertificateFolder { CertificateFolder(path: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: file(name))
    }

    func contents() throws -> [String: String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, try String(contentsOfFile: file($0), encoding: .utf8))
            }
        )
    }
}

import Crypto
package import Foundation
import Glibc
import SwiftASN1
import X509

/// The folder with the authority (`ca.pem`, `ca-key.pem`) and the server's certificate (`cert.pem`,
/// `key.pem`).
package struct CertificateFolder: Sendable {
    package let path: String

    package enum Failure: Error, Equatable, CustomStringConvertible {
        case badHost(String)
        /// One file of a pair is there and the other is not.
        case halfPair(present: String, missing: String)
        case authorityUnusable(String)
        case cannotWrite(String, reason: String)

        package var description: String {
            switch self {
            case .badHost(let host):
                "\"\(host)\" is neither a host name nor an IP address."
            case .halfPair(let present, let missing):
                "\(present) is there and \(missing) is not. Put it back, or make all anew with --force."
            case .authorityUnusable(let path):
                "\(path) and its key do not belong together, cannot be read or expire too soon."
                    + " Make all anew with --force."
            case .cannotWrite(let path, let reason):
                "\(path) cannot be written: \(reason)"
            }
        }
    }

    package struct Outcome: Sendable, Equatable {
        package var written: [String] = []
        package var left: [String] = []
        /// Of the server's certificate, where it can be read.
        package var notValidAfter: Date?
        package var summary = ""
    }

    private static let alwaysNamed = ["localhost", "127.0.0.1", "::1"]

    package init(path: String) {
        self.path = path
    }

    /// Makes what is missing, or with `isForced` everything.
    ///
    /// A certificate that is there stays, whoever signed it. An authority that is there signs.
    package func fill(hosts: [String], isForced: Bool, now: Date) throws -> Outcome {
        let named = try (Self.alwaysNamed + hosts).map { text throws(Failure) in
            guard let host = CertificateHost(text) else { throw .badHost(text) }
            return host
        }
        var outcome = Outcome()
        if !isForced, try pairExists("cert.pem", "key.pem") {
            outcome.left = ["cert.pem", "key.pem"].map(file)
            let pem = try? String(contentsOfFile: file("cert.pem"), encoding: .utf8)
            outcome.notValidAfter = pem.flatMap { try? Certificate(pemEncoded: $0).notValidAfter }
            outcome.summary = summary(of: outcome, now: now)
            return outcome
        }
        let authority: CertificateAuthority
        if !isForced, try pairExists("ca.pem", "ca-key.pem") {
            authority = try loadAuthority(now: now)
            outcome.left = ["ca.pem", "ca-key.pem"].map(file)
        } else {
            authority = try CertificateAuthority(now: now)
            try save(authority.certificate, authority.key, as: "ca.pem", "ca-key.pem", &outcome)
        }
        var seen: Set<CertificateHost> = []
        let (certificate, key) = try authority.issue(
            for: named.filter { seen.insert($0).inserted },
            now: now
        )
        try save(certificate, key, as: "cert.pem", "key.pem", &outcome)
        outcome.notValidAfter = certificate.notValidAfter
        outcome.summary = summary(of: outcome, now: now)
        return outcome
    }

    private func file(_ name: String) -> String {
        path.hasSuffix("/") ? path + name : "\(path)/\(name)"
    }

    private func pairExists(_ certificate: String, _ key: String) throws(Failure) -> Bool {
        let present = [certificate, key].map { FileManager.default.fileExists(atPath: file($0)) }
        switch (present[0], present[1]) {
        case (true, true): return true
        case (false, false): return false
        case (true, false): throw .halfPair(present: file(certificate), missing: file(key))
        case (false, true): throw .halfPair(present: file(key), missing: file(certificate))
        }
    }

    private func loadAuthority(now: Date) throws(Failure) -> CertificateAuthority {
        let authority = try? CertificateAuthority(
            certificatePEM: String(contentsOfFile: file("ca.pem"), encoding: .utf8),
            keyPEM: String(contentsOfFile: file("ca-key.pem"), encoding: .utf8)
        )
        guard let authority, authority.canSign(now: now) else {
            throw .authorityUnusable(file("ca.pem"))
        }
        return authority
    }

    private func save(
        _ certificate: Certificate,
        _ key: P256.Signing.PrivateKey,
        as certificateName: String,
        _ keyName: String,
        _ outcome: inout Outcome
    ) throws {
        // The key first: a certificate is never there without its key.
        try write(key.pemRepresentation + "\n", to: file(keyName), mode: 0o600)
        try write(
            certificate.serializeAsPEM().pemString + "\n",
            to: file(certificateName),
            mode: 0o644
        )
        outcome.written += [file(certificateName), file(keyName)]
    }

    /// Puts the file in place whole, with its mode from the start: a key is never readable by others.
    private func write(_ text: String, to path: String, mode: mode_t) throws(Failure) {
        // Where this fails, opening the file does too, and says why in fewer words.
        try? FileManager.default.createDirectory(
            atPath: self.path,
            withIntermediateDirectories: true
        )
        let draft = "\(path).\(getpid()).tmp"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw .cannotWrite(path, reason: String(cString: strerror(errno)))
        }
        do {
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        } catch {
            unlink(draft)
            throw .cannotWrite(path, reason: error.localizedDescription)
        }
        guard rename(draft, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(draft)
            throw .cannotWrite(path, reason: reason)
        }
    }

    private func summary(of outcome: Outcome, now: Date) -> String {
        var lines =
            outcome.written.map { "wrote \($0)" } + outcome.left.map { "left \($0) as it is" }
        if let end = outcome.notValidAfter {
            lines.append(
                end > now
                    ? "The certificate is valid until \(end.formatted(.iso8601))."
                    : "The certificate expired on \(end.formatted(.iso8601)):"
                        + " delete cert.pem and key.pem, and run this again."
            )
        }
        if !outcome.written.isEmpty {
            lines.append("To have browsers trust it, import \(file("ca.pem")) as an authority.")
        }
        return lines.joined(separator: "\n")
    }
}

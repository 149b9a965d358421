package import Foundation
import NIOHTTP2
package import NIOSSL
import Synchronization

/// The certificate and key of the HTTPS and the HTTP/3 door, replaceable while they are open.
///
/// A handshake takes the context of the moment it begins; `reload` changes what later ones take, and
/// connections that stand go on with what they have.
/// Threads: any.
package final class TLSCredentials: Sendable {
    /// What an operator wants to know of the certificate in use.
    package struct Certificate: Sendable, Equatable {
        /// Seconds since 1970.
        package let notValidBefore: Int64
        package let notValidAfter: Int64
        /// Certificates in the file, the leaf included.
        package let chainLength: Int
    }

    private struct State {
        let context: NIOSSLContext
        /// Nil without HTTP/3.
        let quic: GnuTLSCredentials?
        let certificate: Certificate
    }

    package let certificatePath: String
    package let keyPath: String
    /// Of the key there was at the start: connections are told of it when they begin.
    package let quicSecrets: QUICSecrets
    private let minimumVersion: DistributionConfiguration.TLSVersion
    private let isForHTTP3: Bool
    private let state: Mutex<State>

    /// - Throws: When the files cannot be used; the words name the file and the cure.
    package init(
        certificatePath: String,
        keyPath: String,
        minimumVersion: DistributionConfiguration.TLSVersion = .tls13,
        isForHTTP3: Bool = true,
        now: Date = Date()
    ) throws(TLSCredentialsError) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.minimumVersion = minimumVersion
        self.isForHTTP3 = isForHTTP3
        let files = try Files(certificatePath: certificatePath, keyPath: keyPath)
        quicSecrets = QUICSecrets(privateKey: files.keyDER)
        state = Mutex(
            try Self.load(
                files,
                minimumVersion: minimumVersion,
                isForHTTP3: isForHTTP3,
                now: now
            )
        )
    }

    package convenience init(
        _ configuration: DistributionConfiguration
    ) throws(TLSCredentialsError) {
        try self.init(
            certificatePath: configuration.certificatePath,
            keyPath: configuration.keyPath,
            minimumVersion: configuration.minimumTLSVersion,
            isForHTTP3: configuration.isHTTP3Enabled
        )
    }

    package var certificate: Certificate { state.withLock { $0.certificate } }

    /// What the next handshake uses.
    package var context: NIOSSLContext { state.withLock { $0.context } }

    /// The same for a handshake over QUIC.
    func gnuTLS() throws -> GnuTLSCredentials {
        guard let quic = state.withLock({ $0.quic }) else {
            throw GnuTLSError("begin a session: HTTP/3 is off")
        }
        return quic
    }

    /// Reads the files again; when they cannot be used, what is in use stays.
    package func reload(now: Date = Date()) throws(TLSCredentialsError) {
        let fresh = try Self.load(
            Files(certificatePath: certificatePath, keyPath: keyPath),
            minimumVersion: minimumVersion,
            isForHTTP3: isForHTTP3,
            now: now
        )
        state.withLock { $0 = fresh }
    }

    /// What the two files say, one by one.
    private struct Files {
        let certificatePath: String
        let keyPath: String
        let certificatePEM: [UInt8]
        let keyPEM: [UInt8]
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
        let keyDER: [UInt8]

        init(certificatePath: String, keyPath: String) throws(TLSCredentialsError) {
            self.certificatePath = certificatePath
            self.keyPath = keyPath
            certificatePEM = try Self.bytes(of: certificatePath)
            do {
                chain = try NIOSSLCertificate.fromPEMBytes(certificatePEM)
            } catch {
                throw .init(.notACertificate, path: certificatePath)
            }
            keyPEM = try Self.bytes(of: keyPath)
            do {
                key = try NIOSSLPrivateKey(bytes: keyPEM, format: .pem)
                keyDER = try key.derBytes
            } catch {
                throw .init(.notAKey, path: keyPath)
            }
        }

        private static func bytes(of path: String) throws(TLSCredentialsError) -> [UInt8] {
            do {
                return [UInt8](try Data(contentsOf: URL(filePath: path)))
            } catch {
                throw .init(.unreadable, path: path)
            }
        }
    }

    private static func load(
        _ files: Files,
        minimumVersion: DistributionConfiguration.TLSVersion,
        isForHTTP3: Bool,
        now: Date
    ) throws(TLSCredentialsError) -> State {
        guard let leaf = files.chain.first else {
            throw .init(.notACertificate, path: files.certificatePath)
        }
        let certificate = Certificate(
            notValidBefore: Int64(leaf.notValidBefore),
            notValidAfter: Int64(leaf.notValidAfter),
            chainLength: files.chain.count
        )
        let second = Int64(now.timeIntervalSince1970)
        guard certificate.notValidAfter > second else {
            throw .init(.expired, path: files.certificatePath)
        }
        guard certificate.notValidBefore <= second else {
            throw .init(.notYetValid, path: files.certificatePath)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: files.chain.map { .certificate($0) },
            privateKey: .privateKey(files.key)
        )
        configuration.minimumTLSVersion = minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        let context: NIOSSLContext
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            // Both parsed, so what is left to fail is that they do not belong together.
            throw .init(.keyDoesNotMatch, path: files.keyPath)
        }
        guard isForHTTP3 else {
            return State(context: context, quic: nil, certificate: certificate)
        }
        do throws(GnuTLSError) {
            let quic = try GnuTLSCredentials(
                certificatePEM: files.certificatePEM,
                keyPEM: files.keyPEM
            )
            return State(context: context, quic: quic, certificate: certificate)
        } catch {
            throw .init(.notForHTTP3, path: files.certificatePath, reason: "\(error)")
        }
    }
}

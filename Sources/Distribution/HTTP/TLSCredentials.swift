package import Foundation
import NIOHTTP2
package import NIOSSL
import Synchronization

/// The certificate and key of the HTTPS door, replaceable while it is open.
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
        let certificate: Certificate
    }

    package let certificatePath: String
    package let keyPath: String
    private let minimumVersion: DistributionConfiguration.TLSVersion
    private let state: Mutex<State>

    /// - Throws: When the files cannot be used; the words name the file and the cure.
    package init(
        certificatePath: String,
        keyPath: String,
        minimumVersion: DistributionConfiguration.TLSVersion = .tls13,
        now: Date = Date()
    ) throws(TLSCredentialsError) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.minimumVersion = minimumVersion
        state = Mutex(
            try Self.load(
                certificatePath: certificatePath,
                keyPath: keyPath,
                minimumVersion: minimumVersion,
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
            minimumVersion: configuration.minimumTLSVersion
        )
    }

    package var certificate: Certificate { state.withLock { $0.certificate } }

    /// What the next handshake uses.
    package var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the files again; when they cannot be used, what is in use stays.
    package func reload(now: Date = Date()) throws(TLSCredentialsError) {
        let fresh = try Self.load(
            certificatePath: certificatePath,
            keyPath: keyPath,
            minimumVersion: minimumVersion,
            now: now
        )
        state.withLock { $0 = fresh }
    }

    private static func load(
        certificatePath: String,
        keyPath: String,
        minimumVersion: DistributionConfiguration.TLSVersion,
        now: Date
    ) throws(TLSCredentialsError) -> State {
        let chain = try certificates(certificatePath)
        let key = try privateKey(keyPath)
        guard let leaf = chain.first else { throw .init(.notACertificate, path: certificatePath) }
        let certificate = Certificate(
            notValidBefore: Int64(leaf.notValidBefore),
            notValidAfter: Int64(leaf.notValidAfter),
            chainLength: chain.count
        )
        let second = Int64(now.timeIntervalSince1970)
        guard certificate.notValidAfter > second else {
            throw .init(.expired, path: certificatePath)
        }
        guard certificate.notValidBefore <= second else {
            throw .init(.notYetValid, path: certificatePath)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        do {
            return State(
                context: try NIOSSLContext(configuration: configuration),
                certificate: certificate
            )
        } catch {
            // Both parsed, so what is left to fail is that they do not belong together.
            throw .init(.keyDoesNotMatch, path: keyPath)
        }
    }

    private static func certificates(
        _ path: String
    ) throws(TLSCredentialsError) -> [NIOSSLCertificate] {
        let bytes = try bytes(of: path)
        do {
            return try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch {
            throw .init(.notACertificate, path: path)
        }
    }

    private static func privateKey(_ path: String) throws(TLSCredentialsError) -> NIOSSLPrivateKey {
        let bytes = try bytes(of: path)
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw .init(.notAKey, path: path)
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

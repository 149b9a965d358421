import Distribution
import Foundation
import Hummingbird
import NIOCore
import Packaging

/// An HTTP/3 door on a free port, open while `body` runs, to a live stream, to `POST /echo`, which
/// answers how many bytes came, and to `GET /large`: 8 MB.
///
/// `body` gets the port and a function that begins graceful shutdown.
func withHTTP3Door<Value: Sendable>(
    to fixture: LiveFixture,
    credentials given: TLSCredentials? = nil,
    port: Int = 0,
    limits: RequestLimits = RequestLimits(),
    http3Limits: HTTP3Limits = HTTP3Limits(),
    congestionControl: CongestionControl = .default,
    body: (_ port: Int, _ shutDown: @escaping @Sendable () async -> Void) async throws -> Value
) async throws -> Value {
    let files = try await CertificateFixture()
    let credentials =
        try given ?? TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
    return try await whileOpen(body) { report in
        HTTP3FrontDoor(
            address: "::",
            port: port,
            credentials: credentials,
            congestionControl: congestionControl,
            responder: fixture.http3Responder(),
            limits: limits,
            http3Limits: http3Limits,
            statistics: fixture.statistics,
            logger: LiveFixture.logger,
            onListening: report
        )
    }
}

extension LiveFixture {
    fileprivate func http3Responder() -> MirrorRouter.Responder {
        let large = (0..<32).map { ByteBuffer(repeating: $0, count: 250_000) }
        return MirrorRouter.makeResponder { router in
            HLSResponder(
                streams: streams,
                packaging: store.configuration,
                statistics: statistics
            ).addRoutes(to: router)
            router.post("/echo") { request, _ in
                var count = 0
                for try await buffer in request.body { count += buffer.readableBytes }
                return "\(count)"
            }
            router.get("/large") { _, _ in
                Response(status: .ok, body: ResponseBody(contentsOf: large))
            }
        }
    }
}

package import Hummingbird
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// The UDP port that viewers knock at with HTTP/3: every event loop has sockets on it, and hands the
/// requests of its connections to the same responder as the other doors.
///
/// On graceful shutdown it takes no new connections, tells the peers (GOAWAY), answers waiting requests
/// with 503, lets transfers end and returns when the last connection is gone.
package struct HTTP3FrontDoor: Service {
    private let address: String
    private let port: Int
    private let door: HTTP3Door
    private let eventLoopGroup: any EventLoopGroup
    private let onListening: @Sendable (Int) async -> Void

    /// Opens nothing before `run`.
    ///
    /// `port` zero takes any free one; `onListening` is called once with the port that was taken.
    /// `address` `::` is both `::` and `0.0.0.0`.
    package init(
        address: String,
        port: Int,
        credentials: TLSCredentials,
        congestionControl: CongestionControl = .default,
        responder: some HTTPResponder<MirrorRequestContext>,
        limits: RequestLimits = RequestLimits(),
        http3Limits: HTTP3Limits = HTTP3Limits(),
        statistics: DistributionStatistics,
        logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.address = address
        self.port = port
        self.eventLoopGroup = eventLoopGroup
        self.onListening = onListening
        let requests = RequestHandler(
            door: .secure,
            responder: responder,
            statistics: statistics,
            logger: logger
        )
        door = HTTP3Door(
            credentials: credentials,
            secrets: credentials.quicSecrets,
            congestionControl: congestionControl,
            limits: limits,
            http3: http3Limits,
            statistics: statistics
        ) { request, viewer, write in
            try await requests.handle(request, from: viewer, write: write)
        }
    }

    /// - Throws: `FrontDoorError` when the port cannot be listened on.
    package func run() async throws {
        let opening = QUICListener(address: address, port: port, door: door)
        let listener: QUICListener.Open
        do {
            listener = try await opening.open(on: eventLoopGroup)
        } catch {
            throw FrontDoorError(address: address, port: port, reason: error)
        }
        await onListening(listener.port)
        // Ends with an error when cancelled: then there is no time to let anything end.
        let isGraceful = (try? await gracefulShutdown()) != nil
        await withTaskCancellationHandler {
            if isGraceful { await listener.drain() }
        } onCancel: {
            listener.stop()
        }
        await listener.close()
    }
}

package import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// A port that viewers, or operators, knock at: accepts connections and hands their requests to one
/// responder.
///
/// On graceful shutdown it stops accepting, answers waiting requests with 503, lets transfers end
/// (`RequestLimits.stallTimeout` bounds those that do not move) and returns.
package struct HTTPFrontDoor: Service {
    package enum Security: Sendable {
        /// HTTP/2 and HTTP/1.1 over TLS, by ALPN.
        case tls(TLSCredentials)
        /// HTTP/1.1 in clear.
        case plain
    }

    private let address: String
    private let port: Int
    private let channel: FrontDoorChannel
    private let logger: Logger
    private let eventLoopGroup: any EventLoopGroup
    private let onListening: @Sendable (Int) async -> Void

    /// `port` zero takes any free port; `onListening` is called once with the port that was taken, when
    /// connections are accepted.
    package init(
        address: String,
        port: Int,
        security: Security,
        responder: some HTTPResponder<MirrorRequestContext>,
        limits: RequestLimits = RequestLimits(),
        statistics: DistributionStatistics,
        logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.address = address
        self.port = port
        self.logger = logger
        self.eventLoopGroup = eventLoopGroup
        self.onListening = onListening
        let (door, credentials): (MirrorRequestContext.Door, TLSCredentials?) =
            switch security {
            case .tls(let credentials): (.secure, credentials)
            case .plain: (.plain, nil)
            }
        let requests = RequestHandler(
            door: door,
            responder: responder,
            statistics: statistics,
            logger: logger
        )
        channel = FrontDoorChannel(
            credentials: credentials,
            limits: limits,
            statistics: statistics
        ) { request, writer, viewer in
            var writer: ResponseWriter? = writer
            let delivery = try await requests.handle(request, from: viewer) { response in
                guard let writer = writer.take() else { throw ViewerLeft() }
                try await writer.write(response: response.head, body: response.body)
            }
            delivery.ended()
        }
    }

    /// - Throws: `FrontDoorError` when the port cannot be listened on.
    package func run() async throws {
        // What Hummingbird says of itself at `info` is said by the owner of this service.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        let server = channel.server(
            configuration: ServerConfiguration(
                address: .hostname(address, port: port),
                backlog: 1024
            ),
            onServerRunning: { channel in
                await onListening(channel.localAddress?.port ?? port)
            },
            eventLoopGroup: eventLoopGroup,
            logger: quiet
        )
        do {
            try await server.run()
        } catch let error as IOError {
            throw FrontDoorError(address: address, port: port, reason: error)
        } catch let error as SocketAddressError {
            throw FrontDoorError(address: address, port: port, reason: error)
        }
    }
}

/// A port cannot be listened on.
package struct FrontDoorError: Error, CustomStringConvertible {
    package let description: String

    init(address: String, port: Int, reason: any Error) {
        description =
            "Cannot listen on \(address) port \(port): \(reason). Another process may hold the port "
            + "(see `ss -ltnp`), or the address may not belong to this machine; choose others in the "
            + "configuration (port 0 takes a free one)."
    }
}

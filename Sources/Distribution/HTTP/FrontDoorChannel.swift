import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// One connection of a viewer: limits first, then TLS, then the protocol that ALPN chose.
///
/// Pipeline, from the socket: IdleStateHandler, SilenceHandler, (NIOSSLServerHandler, ALPN,) then
/// Hummingbird's HTTP/1.1 pipeline, or HTTP/2's with one pipeline a stream; in either, before the
/// handler of requests, UnreadableRequestHandler, ViewerPresenceHandler and ResponseStallHandler.
///
/// Threads: everything of a connection, its requests included, runs on its event loop.
struct FrontDoorChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        fileprivate typealias Negotiated = NIONegotiatedHTTPVersion<
            HTTP1Channel.Value, HTTP2Channel.Value
        >

        let channel: any Channel
        fileprivate let executor: EventLoopTaskExecutor
        fileprivate let negotiated: EventLoopFuture<Negotiated>
    }

    private struct TooManyConnections: Error {}

    private let credentials: TLSCredentials?
    private let limits: RequestLimits
    private let statistics: DistributionStatistics
    private let http1: HTTP1Channel
    private let http2: HTTP2Channel

    /// Without credentials it speaks plain HTTP/1.1.
    init(
        credentials: TLSCredentials?,
        limits: RequestLimits,
        statistics: DistributionStatistics,
        respond:
            @escaping @Sendable (Request, consuming ResponseWriter, Viewer) async throws -> Void
    ) {
        self.credentials = credentials
        self.limits = limits
        self.statistics = statistics
        let idleTimeout = TimeAmount(limits.idleTimeout)
        let stallTimeout = TimeAmount(limits.stallTimeout)
        let requests = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                UnreadableRequestHandler(onUnreadable: statistics.requestUnreadable),
                ViewerPresenceHandler(),
                ResponseStallHandler(limit: stallTimeout, onStall: statistics.viewerStalled),
            ],
            idleTimeout: idleTimeout,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.maxHeaderBytes,
                maxHeaderListSize: limits.maxHeaderBytes,
                maxHeaderFieldCount: limits.maxHeaderFields
            )
        )
        func responder(
            _ transport: DistributionStatistics.Transport
        ) -> HTTPChannelHandler.Responder {
            { request, writer, channel in
                try await respond(request, writer, Viewer(on: channel, transport: transport))
            }
        }
        http1 = HTTP1Channel(responder: responder(.http1), configuration: requests)
        http2 = HTTP2Channel(
            responder: responder(.http2),
            configuration: HTTP2ChannelConfiguration(
                idleTimeout: limits.idleTimeout,
                gracefulCloseTimeout: limits.idleTimeout,
                streamConfiguration: requests
            )
        )
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        guard statistics.admitConnection(limit: limits.maxConnections) else {
            return channel.close().flatMapThrowing { throw TooManyConnections() }
        }
        channel.closeFuture.whenComplete { _ in statistics.connectionClosed() }
        let silence = TimeAmount(limits.idleTimeout * 2)
        do {
            try channel.pipeline.syncOperations.addHandlers([
                IdleStateHandler(allTimeout: silence),
                SilenceHandler(onSilence: statistics.connectionSilent),
            ])
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        guard let credentials else {
            count(.http1, on: channel)
            return http1.setup(channel: channel, logger: logger).map { value in
                Value(
                    channel: channel,
                    executor: .on(channel.eventLoop),
                    negotiated: channel.eventLoop.makeSucceededFuture(.http1_1(value))
                )
            }
        }
        return channel.eventLoop.makeCompletedFuture {
            let negotiated = try addTLS(credentials, to: channel, logger: logger)
            return Value(
                channel: channel,
                executor: .on(channel.eventLoop),
                negotiated: negotiated
            )
        }
    }

    /// When cancelled, closes the connection whatever is under way on it.
    func handle(value: Value, logger: Logger) async {
        let channel = value.channel
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(value.executor) {
                switch try? await value.negotiated.get() {
                case .http1_1(let connection): await http1.handle(value: connection, logger: logger)
                case .http2(let connection): await http2.handle(value: connection, logger: logger)
                case nil: channel.close(promise: nil)
                }
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func addTLS(
        _ credentials: TLSCredentials,
        to channel: any Channel,
        logger: Logger
    ) throws -> EventLoopFuture<Value.Negotiated> {
        let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Value.Negotiated> {
            result in
            if case .negotiated("h2") = result {
                count(.http2, on: channel)
                return http2.setup(channel: channel, logger: logger).map { .http2($0) }
            }
            // What is not h2 is http/1.1, asked for or by default: no other protocol is offered.
            count(.http1, on: channel)
            return http1.setup(channel: channel, logger: logger).map { .http1_1($0) }
        }
        try channel.pipeline.syncOperations.addHandlers([
            NIOSSLServerHandler(context: credentials.context), negotiation,
        ])
        let negotiated = negotiation.protocolNegotiationResult
        let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limits.handshakeTimeout)) {
            channel.close(promise: nil)
        }
        negotiated.whenComplete { result in
            deadline.cancel()
            if case .failure = result { statistics.handshakeFailed() }
        }
        return negotiated
    }

    private func count(_ transport: DistributionStatistics.Transport, on channel: any Channel) {
        statistics.connectionNegotiated(transport)
        channel.closeFuture.whenComplete { _ in statistics.connectionClosed(transport) }
    }
}

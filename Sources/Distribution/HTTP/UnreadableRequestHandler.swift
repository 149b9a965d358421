import NIOCore
import NIOHTTP1

/// Counts what came in on an HTTP/1.1 connection and could not be read as a request: a header that is
/// too large, or no HTTP at all.
///
/// It comes before routing, so no route counts it. HTTP/2 ends the stream or the connection below this
/// handler, which sees nothing of that.
final class UnreadableRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let onUnreadable: @Sendable () -> Void

    init(onUnreadable: @escaping @Sendable () -> Void) {
        self.onUnreadable = onUnreadable
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError { onUnreadable() }
        context.fireErrorCaught(error)
    }
}

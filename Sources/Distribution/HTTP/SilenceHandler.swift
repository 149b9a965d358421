import NIOCore

/// Closes a connection on which no byte has moved for as long as the `IdleStateHandler` before it
/// allows: a peer that vanished without a word, or one that only holds a place.
final class SilenceHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let onSilence: @Sendable () -> Void

    init(onSilence: @escaping @Sendable () -> Void) {
        self.onSilence = onSilence
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        onSilence()
        context.close(promise: nil)
    }
}

import NIOCore

/// Notices that a viewer over HTTP/1.1 or 2 has gone while a request of theirs waits.
///
/// One in the pipeline of each HTTP/1.1 connection and each HTTP/2 stream. Bytes that end a connection
/// are read while a request waits, so a viewer's leaving is seen at once: as the end of input (FIN, or
/// close_notify), as a reset, or as the end of the HTTP/2 stream or of its connection.
final class ViewerPresenceHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    let presence = ViewerPresence()

    func channelInactive(context: ChannelHandlerContext) {
        presence.leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { presence.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        presence.leave()
        context.fireErrorCaught(error)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        presence.leave()
    }
}

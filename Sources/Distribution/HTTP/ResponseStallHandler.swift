package import NIOCore
package import NIOHTTPTypes

/// Cuts off a viewer that does not take what is written to it.
///
/// One in the pipeline of each HTTP/1.1 connection and each HTTP/2 stream, so a closed flow-control
/// window counts as much as a full socket. Progress is a written part of a response that has left; as
/// long as parts keep leaving, a slow viewer is served for as long as it likes.
///
/// Bound: one timer, only while something is unwritten.
package final class ResponseStallHandler: ChannelOutboundHandler, RemovableChannelHandler {
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private let onStall: @Sendable () -> Void
    private var unwrittenParts = 0
    private var lastProgress = NIODeadline.uptimeNanoseconds(0)
    private var check: Scheduled<Void>?

    package init(limit: TimeAmount, onStall: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.onStall = onStall
    }

    package func write(
        context: ChannelHandlerContext,
        data: NIOAny,
        promise: EventLoopPromise<Void>?
    ) {
        let eventLoop = context.eventLoop
        let written = promise ?? eventLoop.makePromise(of: Void.self)
        if unwrittenParts == 0 { lastProgress = eventLoop.now }
        unwrittenParts += 1
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.unwrittenParts -= 1
            self.lastProgress = eventLoop.now
        }
        context.write(data, promise: written)
        if check == nil, unwrittenParts > 0 {
            scheduleCheck(at: lastProgress + limit, context: context)
        }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        check?.cancel()
        check = nil
    }

    private func scheduleCheck(at deadline: NIODeadline, context: ChannelHandlerContext) {
        check = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.check = nil
            guard self.unwrittenParts > 0 else { return }
            let deadline = self.lastProgress + self.limit
            guard deadline <= context.eventLoop.now else {
                self.scheduleCheck(at: deadline, context: context)
                return
            }
            self.onStall()
            context.close(promise: nil)
        }
    }
}

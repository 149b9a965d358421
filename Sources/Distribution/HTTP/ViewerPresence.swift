import NIOCore
import ServiceLifecycle
import Synchronization

/// The viewer closed the connection, or reset the stream, before there was an answer.
package struct ViewerLeft: Error {}

/// Notices that a viewer has gone while a request of theirs waits.
///
/// One in the pipeline of each HTTP/1.1 connection and each HTTP/2 stream. Bytes that end a connection
/// are read while a request waits, so a viewer's leaving is seen at once: as the end of input (FIN, or
/// close_notify), as a reset, or as the end of the HTTP/2 stream or of its connection.
///
/// Bound: one waiting request; HTTP/1.1 answers one after the other, and a stream has only one.
/// Threads: any.
final class ViewerPresence: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    private enum State {
        case present(onDeparture: (@Sendable () -> Void)?)
        case gone
    }

    private let state = Mutex(State.present(onDeparture: nil))

    var hasLeft: Bool {
        state.withLock { state in
            if case .gone = state { true } else { false }
        }
    }

    /// Calls `action` once when the viewer leaves, at once when that has happened; takes the place of
    /// the action before.
    func onDeparture(_ action: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            if case .gone = state { return true }
            state = .present(onDeparture: action)
            return false
        }
        if isGone { action?() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        leave()
        context.fireErrorCaught(error)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
    }

    private func leave() {
        let action = state.withLock { state -> (@Sendable () -> Void)? in
            guard case .present(let action) = state else { return nil }
            state = .gone
            return action
        }
        action?()
    }
}

extension MirrorRequestContext {
    /// Runs something that may wait, for as long as there is somebody to wait for.
    ///
    /// `operation` starts in this very call and, when it need not wait, ends in it. When its time is
    /// over it is cancelled; it must then end soon, with an error.
    ///
    /// - Throws: What `operation` throws; `ViewerLeft` at once when the viewer goes;
    ///   `ProblemDetails.shuttingDown` when the server begins to stop.
    func whileViewerWaits<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let presence = viewerPresence
        // Behind a door the handler is there for as long as the viewer is.
        if presence == nil, door != nil { throw ViewerLeft() }
        // Its own task, because a task can be cancelled from outside and the present one cannot; it is
        // awaited below in every case.
        let task = Task.immediate(
            executorPreference: EventLoopTaskExecutor(channel.eventLoop),
            operation: operation
        )
        presence?.onDeparture { task.cancel() }
        defer { presence?.onDeparture(nil) }
        let result = await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await task.result
            } onGracefulShutdown: {
                task.cancel()
            }
        } onCancel: {
            task.cancel()
        }
        do {
            return try result.get()
        } catch {
            guard task.isCancelled else { throw error }
            throw presence?.hasLeft == true
                ? ViewerLeft() : ProblemDetails.shuttingDown as any Error
        }
    }

    /// `nil` when there is no door, and when the viewer has left already.
    private var viewerPresence: ViewerPresence? {
        guard channel.eventLoop.inEventLoop else { return nil }
        return try? channel.pipeline.syncOperations.handler(type: ViewerPresence.self)
    }
}

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

    private struct State {
        var hasLeft = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

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

    /// Returns when the viewer has left, or when the task is cancelled.
    func departure() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.hasLeft || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            takeWaiter()?.resume()
        }
    }

    private func leave() {
        state.withLock { $0.hasLeft = true }
        takeWaiter()?.resume()
    }

    private func takeWaiter() -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
    }
}

extension MirrorRequestContext {
    /// Runs something that may wait, for as long as there is somebody to wait for.
    ///
    /// - Throws: What `operation` throws; `ViewerLeft` at once when the viewer goes;
    ///   `ProblemDetails.shuttingDown` when the server begins to stop. In both cases `operation` is
    ///   cancelled.
    func whileViewerWaits<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let presence = try? await channel.pipeline.handler(type: ViewerPresence.self).get()
        // Behind a door the handler is there for as long as the viewer is.
        if presence == nil, door != nil { throw ViewerLeft() }
        return try await withThrowingTaskGroup(of: Value.self) { group in
            defer { group.cancelAll() }
            group.addTask(operation: operation)
            group.addTask {
                try await gracefulShutdown()
                throw ProblemDetails.shuttingDown
            }
            if let presence {
                group.addTask {
                    await presence.departure()
                    throw ViewerLeft()
                }
            }
            guard let value = try await group.next() else { throw ViewerLeft() }
            return value
        }
    }
}

import NIOCore
import ServiceLifecycle
import Synchronization

/// The viewer closed the connection, or reset the stream, before there was an answer.
package struct ViewerLeft: Error {}

/// Whether the viewer of a request is still there, for the request while it waits.
///
/// `ViewerPresenceHandler` tells it for HTTP/1.1 and 2, `HTTP3Stream` for HTTP/3.
/// Bound: one waiting request; HTTP/1.1 answers one after the other, and a stream has only one.
/// Threads: any.
final class ViewerPresence: Sendable {
    private enum State {
        case present(onDeparture: (@Sendable () -> Void)?)
        /// Present, and not to be kept waiting.
        case stopping
        case gone
    }

    private let state = Mutex(State.present(onDeparture: nil))

    /// Of a viewer who has left before anybody looked.
    static var departed: ViewerPresence {
        let presence = ViewerPresence()
        presence.leave()
        return presence
    }

    var hasLeft: Bool {
        state.withLock { state in
            if case .gone = state { true } else { false }
        }
    }

    /// Calls `action` once when there is nothing to wait for any more, at once when that has happened;
    /// takes the place of the action before.
    func onDeparture(_ action: (@Sendable () -> Void)?) {
        let isOver = state.withLock { state in
            guard case .present = state else { return true }
            state = .present(onDeparture: action)
            return false
        }
        if isOver { action?() }
    }

    /// The viewer has gone.
    func leave() { end(as: .gone) }

    /// The server stops: what waits is to be answered now.
    ///
    /// Only for requests outside of a task that `ServiceGroup` shuts down itself.
    func serverStops() { end(as: .stopping) }

    private func end(as end: State) {
        let action = state.withLock { state -> (@Sendable () -> Void)? in
            switch state {
            case .present(let action):
                state = end
                return action
            case .stopping:
                state = end
                return nil
            case .gone:
                return nil
            }
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
    package func whileViewerWaits<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let presence = viewer?.presence
        if presence?.hasLeft == true { throw ViewerLeft() }
        // Its own task, because a task can be cancelled from outside and the present one cannot; it is
        // awaited below in every case.
        let task = Task.immediate(
            executorPreference: EventLoopTaskExecutor.on(channel.eventLoop),
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
}

import Foundation
import NIOCore
import NIOFoundationCompat
import Synchronization

/// What `http3_gateway.py` says, and who waits for it.
final class HTTP3Replies: Sendable {
    private typealias Waiting = CheckedContinuation<Viewer.Answer, any Error>

    /// A line of JSON; `length` bytes of body follow it.
    private struct Head: Decodable {
        let id: Int
        let status: Int?
        let headers: [[String]]?
        let length: Int?
        let error: String?
    }

    private struct State {
        var received = ByteBuffer()
        /// Of which the body is not whole yet.
        var head: Head?
        var lastID = 0
        var waiting: [Int: Waiting] = [:]
        var isOver = false
    }

    private let state = Mutex(State())

    /// Returns the reply to the request that `send` sends, under the number that it is given.
    func reply(to send: (Int) throws -> Void) async throws -> Viewer.Answer {
        try await withCheckedThrowingContinuation { continuation in
            let id = state.withLock { state in
                state.lastID += 1
                state.waiting[state.lastID] = continuation
                return state.lastID
            }
            do {
                if state.withLock({ $0.isOver }) { throw Self.end }
                try send(id)
            } catch {
                take(id)?.resume(throwing: error)
            }
        }
    }

    /// What came next; nothing is the end.
    func receive(_ data: Data) {
        guard !data.isEmpty else { return end() }
        state.withLock { _ = $0.received.writeData(data) }
        while let (head, body) = state.withLock({ Self.next(&$0) }) {
            let waiting = take(head.id)
            guard let status = head.status else {
                waiting?.resume(throwing: ExternalProcess.Failure(description: head.error ?? ""))
                continue
            }
            let headers = (head.headers ?? []).map { ($0[0], $0[1]) }
            waiting?.resume(
                returning: Viewer.Answer(
                    version: .http3,
                    status: status,
                    headers: Dictionary(headers, uniquingKeysWith: { "\($0), \($1)" }),
                    body: body
                )
            )
        }
    }

    private func take(_ id: Int) -> Waiting? {
        state.withLock { $0.waiting.removeValue(forKey: id) }
    }

    private static let end = ExternalProcess.Failure(description: "http3_gateway.py has ended")

    private func end() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume(throwing: Self.end) }
    }

    private static func next(_ state: inout State) -> (Head, ByteBuffer)? {
        let end = UInt8(ascii: "\n")
        if state.head == nil, let length = state.received.readableBytesView.firstIndex(of: end) {
            let line = state.received.readData(length: length - state.received.readerIndex + 1)
            state.head = try? JSONDecoder().decode(Head.self, from: line ?? Data())
        }
        // A copy: a slice would share the memory that the next bytes are written to.
        guard let head = state.head, let body = state.received.readBytes(length: head.length ?? 0)
        else { return nil }
        state.head = nil
        state.received.discardReadBytes()
        return (head, ByteBuffer(bytes: body))
    }
}

import HTTPTypes
import Hummingbird
import NIOCore

/// One request and its answer, on a stream of a connection over QUIC.
///
/// Phases: head (fields come in) → answering (a task runs the responder) → finished or closed. Closed
///         is final: the task goes on until it notices, and writes nowhere.
/// Bound: one header section, the unread body within the stream's flow-control window, and
///        `HTTP3Limits.unacknowledgedBytes` of the answer's body and one slice.
/// Threads: the connection's event loop.
final class HTTP3Stream {
    private enum Phase {
        case head(HTTP3RequestHead)
        case answering
        case answered
        case closed
    }

    let id: Int64
    /// Nil once the stream is closed.
    private(set) var connection: QUICConnection?
    let presence = ViewerPresence()
    var chunks = ResponseChunks()
    /// When a slice of the body was last acknowledged, or the first written.
    private(set) var lastProgress = NIODeadline.now()
    private var phase: Phase
    private var isHeadSent = false
    /// Given up by this side; it is closed when the peer knows.
    private(set) var isReset = false
    /// Whether the peer has sent the whole request.
    private var isRequestComplete = false
    /// Of the body: within the stream's flow-control window.
    private(set) var unreadBytes = 0
    /// Of the body, before there was somebody to read it.
    private var early = ByteBuffer()
    private var requestBody: AsyncThrowingStream<ByteBuffer, any Error>.Continuation?
    private var whenTaken: CheckedContinuation<Void, any Error>?
    /// Of an answer that is handed over, and not yet with the socket.
    private var delivery: Delivery?
    private var isSent = false

    init(id: Int64, connection: QUICConnection, limits: RequestLimits) {
        self.id = id
        self.connection = connection
        phase = .head(
            HTTP3RequestHead(maxBytes: limits.maxHeaderBytes, maxFields: limits.maxHeaderFields)
        )
    }

    var isAnswered: Bool {
        switch phase {
        case .answered, .closed: true
        case .head, .answering: false
        }
    }

    var isReceivingHead: Bool {
        if case .head = phase { true } else { false }
    }

    // MARK: The request

    func add(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        guard case .head(var head) = phase else { return }
        phase = .closed
        head.add(name: name, value: value)
        phase = .head(head)
    }

    /// The header section has ended.
    ///
    /// - Returns: What to do with it; nil when that has happened before.
    func endOfHead() -> (outcome: HTTP3RequestHead.Outcome, hasPriority: Bool)? {
        guard case .head(let head) = phase else { return nil }
        phase = .answering
        let hasPriority = head.hasPriority
        return (head.finish(), hasPriority)
    }

    func receiveBody(_ bytes: UnsafeBufferPointer<UInt8>) {
        unreadBytes += bytes.count
        if let requestBody {
            requestBody.yield(ByteBuffer(bytes: bytes))
        } else {
            early.writeBytes(bytes)
        }
    }

    private func consumed(_ count: Int) {
        guard let connection else { return }
        unreadBytes -= min(count, unreadBytes)
        connection.consumed(count, of: id)
    }

    func endOfRequest() {
        isRequestComplete = true
        requestBody?.finish()
        requestBody = nil
    }

    /// The body as the responder reads it: what is read opens the flow-control window again.
    private func makeRequestBody(on eventLoop: any EventLoop) -> RequestBody {
        guard !isRequestComplete else { return RequestBody(buffer: early) }
        let (body, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
        if early.readableBytes > 0 { continuation.yield(early) }
        early = ByteBuffer()
        requestBody = continuation
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        return RequestBody(
            asyncSequence: body.map { buffer in
                let count = buffer.readableBytes
                eventLoop.execute { stream.value.consumed(count) }
                return buffer
            }
        )
    }

    // MARK: The answer

    /// Runs the responder, as far as it goes without waiting in this very call.
    func answer(_ head: HTTPRequest, in endpoint: QUICEndpoint) {
        guard let connection, let channel = endpoint.sockets.first?.channel else { return }
        let request = Request(head: head, body: makeRequestBody(on: endpoint.eventLoop))
        let viewer = Viewer(
            channel: channel,
            address: connection.remoteAddress,
            number: connection.number,
            presence: presence,
            transport: .http3
        )
        let stream = NIOLoopBound(self, eventLoop: endpoint.eventLoop)
        let answer = endpoint.door.answer
        Task.immediate(executorPreference: endpoint.executor) {
            do {
                let delivery = try await answer(request, viewer) { response in
                    try await stream.value.respond(response, to: head.method)
                }
                stream.value.handedOver(delivery)
            } catch {
                stream.value.abandon()
            }
        }
    }

    /// Sends an answer; returns when the last of its body is handed over.
    private func respond(_ response: Response, to method: HTTPRequest.Method) async throws {
        let hasBody =
            method != .head && response.body.contentLength != 0
            && response.status != .noContent && response.status != .notModified
        try send(response.head, hasBody: hasBody)
        guard hasBody else { return }
        try await response.body.write(HTTP3ResponseBodyWriter(stream: self))
    }

    func send(_ head: HTTPResponse, hasBody: Bool) throws {
        guard let connection, !isHeadSent else { throw ViewerLeft() }
        isHeadSent = true
        chunks.isComplete = !hasBody
        try connection.submit(head, hasBody: hasBody, on: self)
    }

    /// Hands over a part of the body; waits while too much of it is unacknowledged.
    func write(_ buffer: ByteBuffer) async throws {
        guard let connection, !isReset, !chunks.isComplete else { throw ViewerLeft() }
        if chunks.unacknowledgedBytes == 0 { lastProgress = .now() }
        chunks.append(buffer)
        connection.resume(self)
        guard chunks.unacknowledgedBytes > connection.endpoint.door.http3.unacknowledgedBytes else {
            return
        }
        try await withCheckedThrowingContinuation { whenTaken = $0 }
    }

    func endBody() throws {
        guard let connection, !isReset else { throw ViewerLeft() }
        chunks.isComplete = true
        connection.resume(self)
    }

    private func handedOver(_ delivery: Delivery) {
        guard case .answering = phase, !isReset else {
            delivery.abandoned()
            return
        }
        self.delivery = delivery
        if isSent { ended() }
    }

    /// All datagrams of the answer are with the socket.
    func sent() {
        isSent = true
        if delivery != nil { ended() }
    }

    private func ended() {
        delivery?.ended()
        delivery = nil
        finished()
    }

    /// An answer without a body, and without asking the responder.
    func refuse(_ head: HTTPResponse) {
        var head = head
        head.headerFields[.contentLength] = "0"
        try? send(head, hasBody: false)
        finished()
    }

    private func finished() {
        guard case .answering = phase else { return }
        phase = .answered
        // Whatever is left of the request is of no interest (RFC 9114, 4.1).
        if !isRequestComplete { connection?.stopReading(self) }
    }

    private func abandon() {
        guard let connection, case .answering = phase else { return }
        phase = .answered
        connection.reset(self)
    }

    func acknowledge(_ count: Int) {
        if chunks.acknowledge(count) { lastProgress = .now() }
        guard whenTaken != nil, let connection,
            chunks.unacknowledgedBytes <= connection.endpoint.door.http3.unacknowledgedBytes
        else { return }
        whenTaken.take()?.resume()
    }

    /// This side gives up: whoever reads or writes is told now.
    func giveUp() {
        isReset = true
        presence.leave()
        requestBody?.finish(throwing: ViewerLeft())
        requestBody = nil
        whenTaken?.resume(throwing: ViewerLeft())
        whenTaken = nil
        delivery?.abandoned()
        delivery = nil
    }

    /// The peer has given up, or the stream has ended; nobody has pointers into the body any more.
    func close() {
        guard connection != nil else { return }
        connection = nil
        phase = .closed
        chunks.removeAll()
        giveUp()
    }
}

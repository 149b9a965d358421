import Glibc
package import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Viewers who wait for one and the same playlist, each on a TLS connection of its own.
///
/// They are to weigh nothing beside the server that is measured: HTTP/1.1 with no more parsing than it
/// takes to see an answer's end, all on one thread, which yields to every other of the machine.
package final class Audience: Sendable {
    package struct Answer: Sendable {
        /// When its first byte came.
        package let instant: ContinuousClock.Instant
        /// With its head.
        package let bytes: ByteBuffer

        package var status: Int {
            text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }

        package var body: String {
            let text = text
            let end = text.utf8.firstRange(of: "\r\n\r\n".utf8)?.upperBound ?? text.endIndex
            return String(text[end...])
        }

        private var text: String { String(buffer: bytes) }
    }

    /// SCHED_IDLE, which glibc declares only for GNU's C.
    private static let idleScheduling: CInt = 5

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let connections: [any Channel]
    private let answers: AsyncStream<Answer>

    package init(of count: Int, port: Int) async throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        tls.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: tls)
        let (answers, answered) = AsyncStream.makeStream(of: Answer.self)
        self.answers = answers
        try await group.next().submit {
            var parameters = sched_param()
            _ = sched_setscheduler(0, Self.idleScheduling, &parameters)
        }.get()
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([
                    NIOSSLClientHandler(context: context, serverHostname: "localhost"),
                    Seat { answered.yield($0) },
                ])
            }
        }
        var connections: [any Channel] = []
        for _ in 0..<count {
            connections.append(try await bootstrap.connect(host: "127.0.0.1", port: port).get())
        }
        self.connections = connections
    }

    /// Every viewer asks for the same.
    package func ask(for path: String) {
        let request = ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for connection in connections { connection.writeAndFlush(request, promise: nil) }
    }

    /// The answers to what was asked last, in the order in which they were whole.
    package func allAnswers() async -> [Answer] {
        var all: [Answer] = []
        for await answer in answers.prefix(connections.count) { all.append(answer) }
        return all
    }

    package func leave() async throws {
        for connection in connections { try await connection.close() }
        try await group.shutdownGracefully()
    }
}

/// One viewer's end of a connection.
private final class Seat: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let lengthField = "content-length: "

    private let onAnswer: @Sendable (Audience.Answer) -> Void
    private var instant: ContinuousClock.Instant?
    private var received = ByteBuffer()
    /// Of head and body, once the head is here.
    private var wholeByteCount: Int?

    init(onAnswer: @escaping @Sendable (Audience.Answer) -> Void) {
        self.onAnswer = onAnswer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let first = instant ?? .now
        instant = first
        received.writeImmutableBuffer(unwrapInboundIn(data))
        wholeByteCount = wholeByteCount ?? Self.byteCount(from: received)
        guard let wholeByteCount, received.readableBytes >= wholeByteCount else { return }
        onAnswer(Audience.Answer(instant: first, bytes: received))
        instant = nil
        received = ByteBuffer()
        self.wholeByteCount = nil
    }

    private static func byteCount(from bytes: ByteBuffer) -> Int? {
        let text = String(buffer: bytes)
        guard let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) else { return nil }
        let fields = text[..<end.lowerBound].lowercased().split(separator: "\r\n")
        let length = fields.first { $0.hasPrefix(lengthField) }
        guard let count = length.flatMap({ Int($0.dropFirst(lengthField.count)) }) else {
            return nil
        }
        return text.utf8.distance(from: text.startIndex, to: end.upperBound) + count
    }
}

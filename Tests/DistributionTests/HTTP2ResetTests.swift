import Distribution
import Foundation
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Packaging
import Testing

@Suite(.timeLimit(.minutes(1))) struct HTTP2ResetTests {
    /// Holds the status of one response, once its head is there.
    private final class Viewer: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload

        private let status: EventLoopPromise<String>

        init(_ status: EventLoopPromise<String>) {
            self.status = status
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .headers(let head) = unwrapInboundIn(data) {
                status.succeed(head.headers.first(name: ":status") ?? "")
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            status.fail(ChannelError.eof)
        }
    }

    @Test func aResetStreamIsFreedAtOnceAndTheConnectionServesOn() async throws {
        let fixture = try #require(LiveFixture())
        fixture.publish(parts: 0..<13)
        let files = try await CertificateFixture()
        let credentials = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        try await withDoor(.tls(credentials), to: fixture) { port, _ in
            let (connection, multiplexer) = try await connect(port: port)
            let path = "/live/cam/video/playlist.m3u8"
            let (waiting, _) = try await get(
                path + "?_HLS_msn=4&_HLS_part=1",
                multiplexer,
                connection
            )
            #expect(try await eventually { fixture.store.statistics.waiters == 1 })

            // Closing a stream that is not over resets it, and fails with the reset.
            try? await waiting.close()
            #expect(
                try await eventually(within: .seconds(3)) { fixture.store.statistics.waiters == 0 }
            )

            let (_, status) = try await get(path, multiplexer, connection)
            #expect(try await status.get() == "200")
            #expect(fixture.statistics.snapshot.connections[.http2] == .init(open: 1, total: 1))
            try await connection.close()
        }
    }

    @Test func aStreamWhoseWindowStaysShutIsResetAndTheConnectionServesOn() async throws {
        let fixture = try #require(LiveFixture())
        fixture.publish(parts: 0..<13)
        let files = try await CertificateFixture()
        let credentials = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        var limits = RequestLimits()
        limits.stallTimeout = .milliseconds(200)
        try await withDoor(.tls(credentials), to: fixture, limits: limits) { port, _ in
            let (connection, multiplexer) = try await connect(port: port, streamWindow: 0)
            let (stream, status) = try await get(
                "/live/cam/video/e1-seg1.m4s",
                multiplexer,
                connection
            )
            #expect(try await status.get() == "200")
            try? await stream.closeFuture.get()
            #expect(fixture.statistics.snapshot.stalledViewers == 1)
            #expect(fixture.statistics.snapshot.connections[.http2] == .init(open: 1, total: 1))
            try await connection.close()
        }
    }

    private func connect(
        port: Int,
        streamWindow: Int = 65_535
    ) async throws -> (any Channel, NIOHTTP2Handler.StreamMultiplexer) {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        tls.applicationProtocols = ["h2"]
        let context = try NIOSSLContext(configuration: tls)
        var http2 = NIOHTTP2Handler.ConnectionConfiguration()
        http2.initialSettings.append(
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow)
        )
        let configuration = http2
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(
                        context: context,
                        serverHostname: "localhost"
                    )
                    try channel.pipeline.syncOperations.addHandler(handler)
                }.flatMap {
                    channel.configureHTTP2Pipeline(
                        mode: .client,
                        connectionConfiguration: configuration,
                        streamConfiguration: .init()
                    ) { stream in stream.close() }
                }.map { (channel, $0) }
            }
    }

    private func get(
        _ path: String,
        _ multiplexer: NIOHTTP2Handler.StreamMultiplexer,
        _ connection: any Channel
    ) async throws -> (any Channel, EventLoopFuture<String>) {
        let status = connection.eventLoop.makePromise(of: String.self)
        let stream = try await multiplexer.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(Viewer(status))
            }
        }.get()
        let head: HPACKHeaders = [
            ":method": "GET", ":scheme": "https", ":authority": "localhost", ":path": path,
        ]
        try await stream.writeAndFlush(
            HTTP2Frame.FramePayload.headers(.init(headers: head, endStream: true))
        )
        status.futureResult.whenFailure { _ in }
        return (stream, status.futureResult)
    }
}

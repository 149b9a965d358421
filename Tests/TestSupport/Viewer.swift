package import AsyncHTTPClient
package import Foundation
package import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL

/// Asks a running Mirror as a player would, over HTTP/1.1 or HTTP/2.
package final class Viewer: Sendable {
    package struct Answer: Sendable {
        package let status: Int
        package let headers: [String: String]
        package let body: ByteBuffer

        package var text: String { String(buffer: body) }
        package var data: Data { Data(buffer: body) }
    }

    package let address: String
    private let client: HTTPClient

    package init(
        _ address: String,
        version: HTTPClient.Configuration.HTTPVersion = .automatic
    ) {
        self.address = address
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = version
        configuration.decompression = .disabled
        client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: configuration
        )
    }

    deinit {
        // The client insists on it; an error says that it was done before.
        Task { [client] in try? await client.shutdown() }
    }

    package func shutDown() async throws {
        try await client.shutdown()
    }

    package func ask(
        _ path: String,
        method: String = "GET",
        headers: [(String, String)] = [],
        atMost limit: Duration = .seconds(20)
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : address + path)
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await client.execute(
            request,
            deadline: .now() + .nanoseconds(Int64(limit / .nanoseconds(1)))
        )
        let body = try await response.body.collect(upTo: 256 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) },
                uniquingKeysWith: { "\($0), \($1)" }
            ),
            body: body
        )
    }

    /// Asks again and again, at most some seconds, until the answer is 200.
    package func waitFor(_ path: String, seconds: Int = 20) async throws -> Answer {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(seconds))
        while true {
            let answer = try await ask(path)
            if answer.status == 200 || clock.now >= deadline { return answer }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Waits for whole segments: players that know nothing of parts begin with those.
    package func waitForSegments(of stream: String, count: Int = 3) async throws {
        _ = try await waitFor("/live/\(stream)/playlist.m3u8")
        _ = try await eventually {
            try await playlist("/live/\(stream)/video/playlist.m3u8").segments.count >= count
        }
    }

    package func playlist(_ path: String) async throws -> MediaPlaylist {
        let answer = try await ask(path)
        guard answer.status == 200 else {
            throw ExternalProcess.Failure(description: "\(path): \(answer.status) \(answer.text)")
        }
        return try MediaPlaylist(answer.text)
    }
}

import AsyncHTTPClient
package import Foundation
package import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL

/// Asks a running Mirror as a player would, over any version of HTTP that it speaks.
package final class Viewer: Sendable {
    package enum Version: String, CaseIterable, Sendable {
        case http1 = "HTTP/1.1"
        case http2 = "HTTP/2"
        case http3 = "HTTP/3"
    }

    package struct Answer: Sendable {
        package let version: Version
        package let status: Int
        package let headers: [String: String]
        package let body: ByteBuffer

        package var text: String { String(buffer: body) }
        package var data: Data { Data(buffer: body) }
    }

    private enum Client: Sendable {
        case tcp(HTTPClient)
        case quic(HTTP3Client)
    }

    package let address: String
    /// What it asks over; over HTTP/1.1 after all where a server has no HTTP/2.
    package let version: Version
    private let client: Client

    package convenience init(_ address: String) {
        self.init(address, .http2, .tcp(Self.makeClient(.automatic)))
    }

    package convenience init(of mirror: MirrorProcess, over version: Version) throws {
        switch version {
        case .http1: self.init(mirror.address, version, .tcp(Self.makeClient(.http1Only)))
        case .http2: self.init(mirror.address, version, .tcp(Self.makeClient(.automatic)))
        case .http3: self.init(of: mirror, with: try HTTP3Client(port: mirror.http3Port))
        }
    }

    package convenience init(of mirror: MirrorProcess, with client: HTTP3Client) {
        self.init(mirror.address, .http3, .quic(client))
    }

    private init(_ address: String, _ version: Version, _ client: Client) {
        self.address = address
        self.version = version
        self.client = client
    }

    deinit {
        // The client insists on it; an error says that it was done before.
        if case .tcp(let client) = client { Task { try? await client.shutdown() } }
    }

    private static func makeClient(
        _ version: HTTPClient.Configuration.HTTPVersion
    ) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = version
        configuration.decompression = .disabled
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutDown() async throws {
        switch client {
        case .tcp(let client): try await client.shutdown()
        case .quic(let client): await client.shutDown()
        }
    }

    /// `path` may be a whole URL, of another server too, but not over HTTP/3, which sends no body.
    package func ask(
        _ path: String,
        method: String = "GET",
        headers: [(String, String)] = [],
        body: String? = nil,
        atMost limit: Duration = .seconds(20)
    ) async throws -> Answer {
        switch client {
        case .tcp(let client):
            let url = path.hasPrefix("http") ? path : address + path
            return try await Self.ask(client, url, method, headers, body, atMost: limit)
        case .quic(let client):
            return try await client.ask(path, method: method, headers: headers, atMost: limit)
        }
    }

    private static func ask(
        _ client: HTTPClient,
        _ url: String,
        _ method: String,
        _ headers: [(String, String)],
        _ body: String?,
        atMost limit: Duration
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await client.execute(
            request,
            deadline: .now() + .nanoseconds(Int64(limit / .nanoseconds(1)))
        )
        let body = try await response.body.collect(upTo: 256 << 20)
        return Answer(
            version: response.version == .http2 ? .http2 : .http1,
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

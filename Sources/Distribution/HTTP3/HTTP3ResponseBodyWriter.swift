import HTTPTypes
import Hummingbird
import NIOCore

/// Where a responder writes the body of its answer.
///
/// No route of this server sends trailers: they are left out.
struct HTTP3ResponseBodyWriter: ResponseBodyWriter {
    let stream: HTTP3Stream

    mutating func write(_ buffer: ByteBuffer) async throws {
        try await stream.write(buffer)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try stream.endBody()
    }
}

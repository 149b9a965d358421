import CZlib
package import NIOCore

extension ByteBuffer {
    /// The readable bytes as one gzip member, the same for the same bytes.
    ///
    /// - Returns: `nil` when zlib finds no memory or the buffer is larger than it counts (4 GiB).
    /// Source: RFC 1952.
    package func gzipped() -> ByteBuffer? {
        var stream = z_stream()
        guard let inputCount = UInt32(exactly: readableBytes),
            mirror_deflate_init_gzip(&stream, Z_DEFAULT_COMPRESSION) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }

        let bound = Int(clamping: deflateBound(&stream, uLong(inputCount)))
        var output = ByteBuffer()
        let status = withUnsafeReadableBytes { input in
            output.withUnsafeMutableBytes(atLeast: bound) { space in
                // zlib reads through a pointer it declares mutable; it does not write there.
                stream.next_in = UnsafeMutablePointer(
                    mutating: input.bindMemory(to: Bytef.self).baseAddress
                )
                stream.avail_in = inputCount
                stream.next_out = space.bindMemory(to: Bytef.self).baseAddress
                stream.avail_out = UInt32(clamping: space.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { return nil }
        output.moveWriterIndex(forwardBy: Int(clamping: stream.total_out))
        return output
    }

    /// Runs `body` on free space behind the readable bytes, without moving the writer index.
    private mutating func withUnsafeMutableBytes(
        atLeast count: Int,
        _ body: (UnsafeMutableRawBufferPointer) -> Int32
    ) -> Int32 {
        reserveCapacity(minimumWritableBytes: count)
        return withUnsafeMutableWritableBytes(body)
    }
}

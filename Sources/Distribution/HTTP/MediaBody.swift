import Hummingbird
package import NIOCore

/// The body of a media answer: slices of buffers that all viewers share.
///
/// Bound: what is queued for one viewer is one write and what the sockets and flow-control windows
///        hold; the next is made when that has gone.
package enum MediaBody {
    /// Bytes of the largest write.
    ///
    /// A viewer must take one within `RequestLimits.stallTimeout`: with the default of 20 s, that is
    /// about 100 kbit/s.
    package static let writeLimit = 256 * 1024

    static func response(of chunks: [ByteBuffer], range: Range<Int>) -> ResponseBody {
        let writes = writes(of: chunks, in: range)
        guard writes.count <= 1 else {
            return ResponseBody(contentLength: range.count) { writer in
                for slices in writes { try await writer.write(contentsOf: slices) }
                try await writer.finish(nil)
            }
        }
        let slices = writes.first ?? []
        // Leaves together with the head.
        if let only = slices.first, slices.count == 1 { return ResponseBody(byteBuffer: only) }
        return ResponseBody(contentsOf: slices)
    }

    /// The bytes of `range`, counted over all chunks: slices of them, in writes of `writeLimit` bytes and
    /// a last one of what is left.
    package static func writes(of chunks: [ByteBuffer], in range: Range<Int>) -> [[ByteBuffer]] {
        var writes: [[ByteBuffer]] = []
        var room = 0
        var chunkStart = 0
        for chunk in chunks {
            let chunkRange = chunkStart..<chunkStart + chunk.readableBytes
            chunkStart = chunkRange.upperBound
            var rest = chunkRange.clamped(to: range)
            while !rest.isEmpty {
                if room == 0 {
                    writes.append([])
                    room = writeLimit
                }
                let count = min(rest.count, room)
                let offset = chunk.readerIndex + rest.lowerBound - chunkRange.lowerBound
                guard let slice = chunk.getSlice(at: offset, length: count) else { break }
                writes[writes.count - 1].append(slice)
                room -= count
                rest = rest.dropFirst(count)
            }
        }
        return writes
    }
}

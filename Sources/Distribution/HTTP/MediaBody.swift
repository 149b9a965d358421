import Hummingbird
package import NIOCore

/// The body of a media answer: slices of buffers that all viewers share.
///
/// Bound: what is queued for one viewer is one slice and what the sockets and flow-control windows
///        hold; the next is written when that has gone.
package enum MediaBody {
    /// Bytes of the largest write.
    ///
    /// A viewer must take one within `RequestLimits.stallTimeout`: with the default of 20 s, that is
    /// about 100 kbit/s.
    package static let sliceLimit = 256 * 1024

    static func response(of chunks: [ByteBuffer], range: Range<Int>) -> ResponseBody {
        let slices = slices(of: chunks, in: range)
        if let only = slices.first, slices.count == 1 { return ResponseBody(byteBuffer: only) }
        guard range.count > sliceLimit else { return ResponseBody(contentsOf: slices) }
        return ResponseBody(contentLength: range.count) { writer in
            for slice in slices { try await writer.write(slice) }
            try await writer.finish(nil)
        }
    }

    /// The bytes of `range`, counted over all chunks, in slices of at most `sliceLimit`.
    package static func slices(of chunks: [ByteBuffer], in range: Range<Int>) -> [ByteBuffer] {
        var slices: [ByteBuffer] = []
        var chunkStart = 0
        for chunk in chunks {
            let chunkRange = chunkStart..<chunkStart + chunk.readableBytes
            chunkStart = chunkRange.upperBound
            var rest = chunkRange.clamped(to: range)
            while !rest.isEmpty {
                let count = min(rest.count, sliceLimit)
                let offset = chunk.readerIndex + rest.lowerBound - chunkRange.lowerBound
                guard let slice = chunk.getSlice(at: offset, length: count) else { break }
                slices.append(slice)
                rest = rest.dropFirst(count)
            }
        }
        return slices
    }
}

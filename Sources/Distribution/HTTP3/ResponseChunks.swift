import CNghttp3
import NIOCore

/// The body of one answer, from what is written to what is acknowledged.
///
/// Nothing of it is copied: nghttp3 and ngtcp2 keep pointers into the buffers until their bytes are acknowledged or the stream
/// is closed. A chunk owns its storage for as long, and storage with two owners is never written to.
struct ResponseChunks {
    private struct Chunk {
        let bytes: UnsafeRawBufferPointer
        let storage: AnyObject
    }

    private var chunks = CircularBuffer<Chunk>()
    /// Of `chunks`: how many nghttp3 has the pointers of.
    private var givenCount = 0
    /// Of the first chunk.
    private var acknowledgedBytes = 0
    private(set) var unacknowledgedBytes = 0
    var isComplete = false

    mutating func append(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        let chunk = buffer.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
            Chunk(bytes: bytes, storage: storage.takeUnretainedValue())
        }
        chunks.append(chunk)
        unacknowledgedBytes += buffer.readableBytes
    }

    /// Gives out what has not been given out.
    ///
    /// - Returns: How many vectors were filled, and whether that was the end of the body.
    mutating func give(
        _ vectors: UnsafeMutablePointer<nghttp3_vec>,
        capacity: Int
    ) -> (count: Int, isEnd: Bool) {
        var count = 0
        while count < capacity, givenCount < chunks.count {
            let bytes = chunks[offset: givenCount].bytes
            vectors[count] = nghttp3_vec(
                base: UnsafeMutablePointer(
                    mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                ),
                len: bytes.count
            )
            count += 1
            givenCount += 1
        }
        return (count, isComplete && givenCount == chunks.count)
    }

    /// - Returns: Whether the last byte of a chunk was among them.
    mutating func acknowledge(_ count: Int) -> Bool {
        let before = givenCount
        acknowledgedBytes += count
        unacknowledgedBytes -= min(count, unacknowledgedBytes)
        while givenCount > 0, let first = chunks.first, first.bytes.count <= acknowledgedBytes {
            acknowledgedBytes -= first.bytes.count
            chunks.removeFirst()
            givenCount -= 1
        }
        return givenCount < before
    }

    /// Lets go of everything: nobody has pointers any more.
    mutating func removeAll() {
        chunks.removeAll()
        givenCount = 0
        acknowledgedBytes = 0
        unacknowledgedBytes = 0
    }
}

extension CircularBuffer {
    fileprivate subscript(offset offset: Int) -> Element {
        self[index(startIndex, offsetBy: offset)]
    }
}

import CNghttp3
import CNgtcp2

/// What nghttp3 wants sent of one stream, as far as ngtcp2 has not taken it.
///
/// nghttp3 gives all that it has of a stream; it is asked, and told what was taken, once for a dozen datagrams
/// and not for each.
/// Bound: over after `maxBytes`, so that streams of one urgency take turns.
/// Ownership: the bytes are nghttp3's, the vectors those of `scratch`. Nothing else calls nghttp3 between
///            `begin` and `end`.
struct StreamRun {
    private static let maxBytes = 16 * 1024

    /// -1 when there is nothing to send.
    private(set) var stream: Int64 = -1
    /// The stream ends with this.
    private(set) var isLast = false
    /// ngtcp2 has all of it.
    private(set) var isTaken = false
    /// Not taken yet.
    private(set) var vectors: UnsafeMutablePointer<ngtcp2_vec>
    private(set) var vectorCount = 0
    private var takenBytes = 0

    init(_ scratch: QUICScratch) {
        vectors = scratch.quicVectors
    }

    var isOver: Bool { stream < 0 || isTaken || takenBytes >= Self.maxBytes }

    /// Asks for what is next.
    ///
    /// - Returns: Less than 0 when nghttp3 has given up.
    mutating func begin(_ http: OpaquePointer, _ scratch: QUICScratch) -> Int {
        self = StreamRun(scratch)
        var fin: CInt = 0
        let count = nghttp3_conn_writev_stream(
            http,
            &stream,
            &fin,
            scratch.httpVectors,
            QUICScratch.vectorCount
        )
        isLast = fin != 0
        vectorCount = max(count, 0)
        return count
    }

    /// ngtcp2 has taken the next `count` bytes, and the end of the stream when there are no more.
    mutating func take(_ count: Int) {
        takenBytes += count
        var count = count
        while vectorCount > 0, count >= vectors.pointee.len {
            count -= vectors.pointee.len
            vectors += 1
            vectorCount -= 1
        }
        isTaken = vectorCount == 0
        guard count > 0, !isTaken else { return }
        vectors.pointee.base += count
        vectors.pointee.len -= count
    }

    /// Tells nghttp3 what was taken: before anything else is asked of it.
    mutating func end(_ http: OpaquePointer) {
        if isTaken || takenBytes > 0 {
            nghttp3_conn_add_write_offset(http, stream, takenBytes)
        }
        stream = -1
    }
}

import CNghttp3
import CNgtcp2

/// Memory that C fills in while a packet is written: one for all connections of an event loop, as
/// one packet is written at a time.
///
/// A class of its own, so that no pointer into an object that a callback may use is ever handed out.
final class QUICScratch {
    static let vectorCount = 16

    let path: UnsafeMutablePointer<ngtcp2_path_storage>
    let packet: UnsafeMutablePointer<ngtcp2_pkt_info>
    /// The same memory twice: what nghttp3 gives, ngtcp2 takes, and both call it a pointer and a size.
    let httpVectors: UnsafeMutablePointer<nghttp3_vec>
    let quicVectors: UnsafeMutablePointer<ngtcp2_vec>
    private let vectors: UnsafeMutableRawPointer

    init() {
        path = .allocate(capacity: 1)
        path.initialize(to: ngtcp2_path_storage())
        packet = .allocate(capacity: 1)
        packet.initialize(to: ngtcp2_pkt_info())
        vectors = .allocate(
            byteCount: Self.vectorCount * MemoryLayout<ngtcp2_vec>.stride,
            alignment: MemoryLayout<ngtcp2_vec>.alignment
        )
        vectors.initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: Self.vectorCount * MemoryLayout<ngtcp2_vec>.stride
        )
        httpVectors = vectors.assumingMemoryBound(to: nghttp3_vec.self)
        quicVectors = vectors.assumingMemoryBound(to: ngtcp2_vec.self)
    }

    deinit {
        path.deallocate()
        packet.deallocate()
        vectors.deallocate()
    }

    func clearPath() {
        ngtcp2_path_storage_zero(path)
        packet.pointee = ngtcp2_pkt_info()
    }
}

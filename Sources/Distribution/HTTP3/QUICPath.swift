import CNgtcp2
import NIOCore

/// The path of a connection's last datagram, with its remote address as NIO wants it: made anew only
/// when a peer moves, not for each datagram.
final class QUICPath {
    private(set) var address: SocketAddress
    private let storage: UnsafeMutablePointer<ngtcp2_path_storage>

    init(_ address: SocketAddress) {
        self.address = address
        storage = .allocate(capacity: 1)
        storage.initialize(to: ngtcp2_path_storage())
        ngtcp2_path_storage_zero(storage)
    }

    deinit {
        storage.deallocate()
    }

    /// - Returns: Whether `path` is another one than that of the last call.
    func update(_ path: UnsafeMutablePointer<ngtcp2_path>) -> Bool {
        guard ngtcp2_path_eq(&storage.pointee.path, path) == 0 else { return false }
        ngtcp2_path_copy(&storage.pointee.path, path)
        address = SocketAddress(path.pointee.remote) ?? address
        return true
    }
}

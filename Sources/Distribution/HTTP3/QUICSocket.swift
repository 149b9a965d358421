import CNgtcp2
import NIOCore
import NIOPosix

/// One bound UDP socket of an event loop, and the address that packets to it have been sent to.
///
/// The address has to stay where it is: every path that is told to ngtcp2 points at it until it is told.
final class QUICSocket {
    let channel: any Channel
    let isIPv6: Bool
    /// A run of datagrams has left, cut on the way: the kernel need not be asked again whether it can.
    var hasCut = false
    private let storage: UnsafeMutablePointer<sockaddr_storage>
    private let addressLength: ngtcp2_socklen

    var local: ngtcp2_addr {
        ngtcp2_addr(
            addr: UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self),
            addrlen: addressLength
        )
    }

    init(_ channel: any Channel, address: SocketAddress) {
        self.channel = channel
        isIPv6 = address.protocol == .inet6
        storage = .allocate(capacity: 1)
        storage.initialize(to: sockaddr_storage())
        let target = storage
        addressLength = address.withSockAddr { source, count in
            let count = min(count, MemoryLayout<sockaddr_storage>.size)
            UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
            return ngtcp2_socklen(count)
        }
    }

    deinit {
        storage.deallocate()
    }
}

extension SocketAddress {
    /// - Returns: Nil for what is neither IPv4 nor IPv6.
    init?(_ address: ngtcp2_addr) {
        guard let pointer = UnsafeRawPointer(address.addr) else { return nil }
        switch address.addr.pointee.sa_family {
        case sa_family_t(AF_INET):
            self.init(pointer.assumingMemoryBound(to: sockaddr_in.self).pointee)
        case sa_family_t(AF_INET6):
            self.init(pointer.assumingMemoryBound(to: sockaddr_in6.self).pointee)
        default:
            return nil
        }
    }
}

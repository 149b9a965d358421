import CSRT
import Glibc

/// Owner of a bound UDP socket, until it is handed to libsrt.
struct UDPSocket: ~Copyable {
    private let descriptor: Int32

    /// Binds the first socket of a port, which nobody else may have.
    ///
    /// Not even a process that is willing to share the port: it is opened for sharing only then.
    static func bind(first address: SocketAddress) throws(SRTError) -> UDPSocket {
        let socket = try UDPSocket(family: address.family)
        try socket.bind(address)
        try socket.set(SOL_SOCKET, SO_REUSEPORT, 1)
        return socket
    }

    /// Binds one more socket to a port; the kernel spreads the callers over all of them.
    static func bind(sharing address: SocketAddress) throws(SRTError) -> UDPSocket {
        let socket = try UDPSocket(family: address.family)
        try socket.set(SOL_SOCKET, SO_REUSEPORT, 1)
        try socket.bind(address)
        return socket
    }

    private init(family: Int32) throws(SRTError) {
        descriptor = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("creating a UDP socket") }
        // An IPv6 socket bound to :: takes IPv4 callers too.
        if family == AF_INET6 { try set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    }

    deinit { close(descriptor) }

    private func bind(_ address: SocketAddress) throws(SRTError) {
        let status = address.withSocketAddress { Glibc.bind(descriptor, $0, socklen_t($1)) }
        guard status == 0 else {
            throw .system("binding UDP \(address.peer?.description ?? "address")")
        }
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(SRTError) {
        var value = value
        let status = setsockopt(
            descriptor,
            level,
            option,
            &value,
            socklen_t(MemoryLayout<Int32>.size)
        )
        guard status == 0 else { throw .system("setting option \(option) of a UDP socket") }
    }

    /// The port it is bound to.
    func port() throws(SRTError) -> UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { throw .system("asking a UDP socket for its port") }
        // sin_port and sin6_port are at the same place: two bytes behind the family.
        return withUnsafeBytes(of: address) { bytes in
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// Bytes the kernel really buffers for the descriptor; it reports twice what it grants.
    static func receiveBufferBytes(of descriptor: Int32) -> Int {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &value, &length)
        return Int(value) / 2
    }

    /// The descriptor; whoever takes it closes it.
    consuming func release() -> Int32 {
        let descriptor = descriptor
        discard self
        return descriptor
    }
}

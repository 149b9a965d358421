import Glibc

/// A UDP socket on a free port of the loopback interface; closed by its owner.
struct LoopbackSocket {
    struct Unavailable: Error {
        let code: Int32
    }

    private let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // A burst must find room in it.
        var room: Int32 = 4 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        let descriptor = descriptor
        var address = sockaddr_in.loopback(0)
        var length = Self.addressLength
        guard address.withSockaddr({ bind(descriptor, $0, length) }) == 0,
            address.withSockaddr({ getsockname(descriptor, $0, &length) }) == 0
        else { throw Unavailable(code: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() {
        Glibc.close(descriptor)
    }

    /// - Returns: Which of the two have something to receive; neither when the limit is over, to a millisecond.
    static func wait(
        for first: LoopbackSocket,
        _ second: LoopbackSocket,
        atMost limit: Duration
    ) -> (first: Bool, second: Bool) {
        var ready = [first, second].map {
            pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
        }
        // No sooner than the limit.
        let milliseconds = Int32(clamping: Int((max(limit, .zero) / .milliseconds(1)).rounded(.up)))
        guard poll(&ready, 2, milliseconds) > 0 else { return (false, false) }
        return (ready[0].revents != 0, ready[1].revents != 0)
    }

    func receive() -> (bytes: [UInt8], sender: sockaddr_in)? {
        var sender = sockaddr_in.loopback(0)
        var length = Self.addressLength
        var bytes = [UInt8](repeating: 0, count: 2_048)
        let count = sender.withSockaddr {
            recvfrom(descriptor, &bytes, bytes.count, 0, $0, &length)
        }
        return count < 0 ? nil : (Array(bytes.prefix(count)), sender)
    }

    func send(_ bytes: [UInt8], to address: sockaddr_in) {
        var address = address
        _ = address.withSockaddr {
            sendto(descriptor, bytes, bytes.count, 0, $0, Self.addressLength)
        }
    }

    private static let addressLength = socklen_t(MemoryLayout<sockaddr_in>.size)
}

extension sockaddr_in {
    static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    fileprivate mutating func withSockaddr<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &self) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}

import Glibc
import Synchronization

/// A viewer on a bare socket that asks for something and then takes a byte when it is told to.
package final class SlowReader: Sendable {
    private struct State {
        var received = 0
        var isCut = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    package init(port: Int, path: String) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // Little room in the kernel: what is not taken stays with the server.
        var room: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let request = "GET \(path) HTTP/1.1\r\nHost: slow\r\n\r\n"
        let sent = send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL))
        if connected != 0 || sent < 0 { state.withLock { $0.isCut = true } }
    }

    deinit { close(descriptor) }

    package var received: Int { state.withLock { $0.received } }
    /// The server closed the connection.
    package var isCut: Bool { state.withLock { $0.isCut } }

    /// Takes what is there, up to a number of bytes.
    package func read(atMost limit: Int) {
        var bytes = [UInt8](repeating: 0, count: min(limit, 65_536))
        var rest = limit
        while rest > 0 {
            let count = recv(
                descriptor,
                &bytes,
                min(rest, bytes.count),
                Int32(MSG_DONTWAIT)
            )
            if count <= 0 {
                if count == 0 || errno != EAGAIN { state.withLock { $0.isCut = true } }
                return
            }
            rest -= count
            state.withLock { $0.received += count }
        }
    }
}

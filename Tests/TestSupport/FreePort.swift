import Glibc

/// A port of the loopback interface that nobody uses, for programs that cannot be told to take one.
///
/// It is not of the range that the kernel takes ports from for who asks for any, and nobody who asks
/// here, in this process or another, gets it a second time while this process lives: an abstract Unix
/// socket of the port's name is held until then.
package enum FreePort {
    package static var tcp: Int { free(Int32(SOCK_STREAM.rawValue)) }
    /// With the four above it, of which RTP has its reports and its FEC.
    package static var udp: Int { free(Int32(SOCK_DGRAM.rawValue), count: 5) }

    /// Below `net.ipv4.ip_local_port_range` of Linux.
    private static let candidates = 20_000..<32_000

    private static func free(_ type: Int32, count: Int = 1) -> Int {
        let port = candidates.shuffled().first { port in
            (port..<port + count).allSatisfy { hold($0) && isFree($0, type) }
        }
        guard let port else { preconditionFailure("no free port in \(candidates)") }
        return port
    }

    /// - Returns: False when somebody holds it already.
    private static func hold(_ port: Int) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A first byte of zero: the name is no file's, and goes with the socket.
        let name = Array("mirror-port-\(port)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.enumerated() { path[index + 1] = byte }
        }
        let length = MemoryLayout<sa_family_t>.size + 1 + name.count
        guard bind(descriptor, to: &address, length) else {
            close(descriptor)
            return false
        }
        return true
    }

    private static func isFree(_ port: Int, _ type: Int32) -> Bool {
        let descriptor = socket(AF_INET, type, 0)
        defer { close(descriptor) }
        var address = sockaddr_in.loopback(port)
        return bind(descriptor, to: &address, MemoryLayout<sockaddr_in>.size)
    }

    private static func bind<Address>(
        _ descriptor: Int32,
        to address: inout Address,
        _ length: Int
    ) -> Bool {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(length)) == 0
            }
        }
    }
}

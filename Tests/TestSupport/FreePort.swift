import Glibc

/// A port of the loopback interface that nobody uses, for programs that cannot be told to take one.
package enum FreePort {
    package static var tcp: Int { free(Int32(SOCK_STREAM.rawValue)) }
    package static var udp: Int { free(Int32(SOCK_DGRAM.rawValue)) }

    private static func free(_ type: Int32) -> Int {
        let descriptor = socket(AF_INET, type, 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = bind(descriptor, generic, length)
                _ = getsockname(descriptor, generic, &length)
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
    }
}

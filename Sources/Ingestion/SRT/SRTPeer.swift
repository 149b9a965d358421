import CSRT
import Glibc

/// The far end of a connection, in words.
package struct SRTPeer: Sendable, Equatable, CustomStringConvertible {
    /// Numeric; an IPv4 address that came through a dual-stack socket is written as IPv4.
    package let address: String
    package let port: Int

    package var description: String { String(host: address, port: port) }

    package init(address: String, port: Int) {
        self.address = address
        self.port = port
    }

    /// - Returns: `nil` for anything but IPv4 and IPv6.
    init?(_ socketAddress: UnsafePointer<sockaddr>) {
        let length: Int
        switch Int32(socketAddress.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let status = getnameinfo(
            socketAddress,
            socklen_t(length),
            &host,
            socklen_t(host.count),
            &service,
            socklen_t(service.count),
            NI_NUMERICHOST | NI_NUMERICSERV
        )
        guard status == 0, let port = Int(Self.text(service)) else { return nil }
        let address = Self.text(host)
        let mapped = "::ffff:"
        let isMapped = address.hasPrefix(mapped) && address.contains(".")
        self.address = isMapped ? String(address.dropFirst(mapped.count)) : address
        self.port = port
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

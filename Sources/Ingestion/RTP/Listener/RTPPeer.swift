package import NIOCore

/// The far end of a datagram, quick to compare.
package struct RTPPeer: Sendable, Hashable, CustomStringConvertible {
    package let address: IPAddress
    package let port: UInt16

    package var description: String { String(host: "\(address)", port: Int(port)) }

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// - Returns: `nil` for anything but IPv4 and IPv6.
    package init?(_ socketAddress: NIOCore.SocketAddress) {
        // Both forms have the port behind the family; IPv6 has the flow before its address.
        switch socketAddress {
        case .v4(let ipv4):
            self = withUnsafeBytes(of: ipv4.address) { bytes in
                let address = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
                return RTPPeer(
                    address: IPAddress(ipv4: UInt32(bigEndian: address)),
                    port: Self.port(bytes)
                )
            }
        case .v6(let ipv6):
            self = withUnsafeBytes(of: ipv6.address) { bytes in
                let high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                let low = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                return RTPPeer(
                    address: IPAddress(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low)),
                    port: Self.port(bytes)
                )
            }
        case .unixDomainSocket:
            return nil
        }
    }

    private static func port(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
}

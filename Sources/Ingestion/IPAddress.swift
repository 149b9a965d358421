import Glibc

/// An IPv4 or IPv6 address.
///
/// IPv4 is held in its mapped form (RFC 4291, 2.5.5.2), so that an IPv4 peer of a dual-stack socket
/// equals the same peer of an IPv4 socket.
package struct IPAddress: Sendable, Hashable {
    let high: UInt64
    let low: UInt64

    private static let mappedPrefix: UInt64 = 0xFFFF << 32

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(ipv4 address: UInt32) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(address))
    }

    /// Dotted quad, or any form of RFC 4291; a zone (`%eth0`) is left out.
    ///
    /// - Returns: `nil` when the text is no address.
    package init?(_ text: some StringProtocol) {
        let address = String(text.prefix { $0 != "%" })
        // The C call below would stop reading at a NUL.
        guard !address.utf8.contains(0) else { return nil }
        if let bytes = Self.parse(address, family: AF_INET, count: 4) {
            self.init(high: 0, low: Self.mappedPrefix | Self.integer(bytes))
        } else if let bytes = Self.parse(address, family: AF_INET6, count: 16) {
            self.init(high: Self.integer(bytes.prefix(8)), low: Self.integer(bytes.suffix(8)))
        } else {
            return nil
        }
    }

    package var isIPv4: Bool {
        high == 0 && low & ~0xFFFF_FFFF == Self.mappedPrefix
    }

    /// Network byte order; 4 bytes of IPv4, 16 of IPv6.
    package var bytes: [UInt8] {
        let all = [high, low].flatMap { half in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> $0) }
        }
        return isIPv4 ? Array(all.suffix(4)) : all
    }

    /// Of 224.0.0.0/4, or of ff00::/8.
    package var isMulticast: Bool {
        isIPv4 ? low >> 28 & 0xF == 0xE : high >> 56 == 0xFF
    }

    private static func parse(_ text: String, family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    private static func integer(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted quad, or the shortest form of IPv6.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

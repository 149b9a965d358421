/// The addresses that share a prefix: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
///
/// A range of IPv6 does not hold IPv4 peers, whatever its length: `::/0` is every IPv6 address.
package struct AddressRange: Sendable, Equatable, CustomStringConvertible {
    /// As it was written.
    package let description: String

    private let network: IPAddress
    private let highMask: UInt64
    private let lowMask: UInt64

    /// - Returns: `nil` when the text is neither an address nor an address, a slash and a prefix length.
    package init?(_ text: String) {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let written = halves.first, let address = IPAddress(written) else { return nil }
        let longest = address.isIPv4 ? 32 : 128
        var length = longest
        if halves.count == 2 {
            guard let given = Int(halves[1]), (0...longest).contains(given) else { return nil }
            length = given
        }
        if address.isIPv4 { length += 96 }
        highMask = Self.mask(length)
        lowMask = Self.mask(length - 64)
        network = IPAddress(high: address.high & highMask, low: address.low & lowMask)
        description = text
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == network.isIPv4
            && address.high & highMask == network.high
            && address.low & lowMask == network.low
    }

    /// The one address it holds; `nil` when it holds more.
    package var onlyAddress: IPAddress? {
        highMask == ~0 && lowMask == ~0 ? network : nil
    }

    /// Whether some address is in both: one prefix is then within the other.
    package func overlaps(_ other: AddressRange) -> Bool {
        contains(other.network) || other.contains(network)
    }

    /// The first `length` of 64 bits.
    private static func mask(_ length: Int) -> UInt64 {
        ~0 << (64 - min(max(length, 0), 64))
    }
}

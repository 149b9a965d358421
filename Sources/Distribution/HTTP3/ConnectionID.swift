import CNgtcp2

/// The name of a QUIC connection in a packet.
///
/// Layout: at most 20 bytes. Those that this server gives out have 16: the index of the event loop
///         that the connection lives on, and 15 random ones.
///
/// Source: RFC 9000, 5.1.
package struct ConnectionID: Hashable, Sendable {
    /// Bytes of those that this server gives out: what a short header does not say.
    package static let ownLength = 16
    package static let maxLength = Int(NGTCP2_MAX_CIDLEN)

    /// Zero after the last byte.
    private var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private let count: UInt8

    /// - Returns: Nil for more than 20 bytes.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= Self.maxLength else { return nil }
        count = UInt8(bytes.count)
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
    }

    package init(
        loop: UInt8,
        using generator: inout some RandomNumberGenerator
    ) {
        count = UInt8(Self.ownLength)
        words = (generator.next(), generator.next(), 0)
        withUnsafeMutableBytes(of: &words) { $0[0] = loop }
    }

    init(_ identifier: ngtcp2_cid) {
        count = UInt8(clamping: min(identifier.datalen, Self.maxLength))
        let count = Int(count)
        withUnsafeMutableBytes(of: &words) { words in
            withUnsafeBytes(of: identifier.data) {
                words.copyMemory(from: .init(rebasing: $0[..<count]))
            }
        }
    }

    /// The index of the loop, when this server gave it out; any number when it did not.
    package var loop: Int { withUnsafeBytes(of: words) { Int($0[0]) } }

    package var length: Int { Int(count) }

    var c: ngtcp2_cid {
        var identifier = ngtcp2_cid()
        identifier.datalen = Int(count)
        withUnsafeMutableBytes(of: &identifier.data) { data in
            withUnsafeBytes(of: words) { data.copyMemory(from: .init(rebasing: $0[..<data.count])) }
        }
        return identifier
    }

    package static func == (one: Self, other: Self) -> Bool {
        one.words == other.words && one.count == other.count
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
    }
}

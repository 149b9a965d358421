/// Closed captions that come with pictures: CEA-608 pairs and pieces of CEA-708 packets.
///
/// Shape: constructs of three bytes: marker bits, `cc_valid` and `cc_type`, and two bytes of data.
/// Bound: a picture carries `pictureLimit` constructs. What there is more, of pictures that were left out,
///        stays for the next, without those that say nothing; of that at most `waitingLimit`.
///
/// Source: ATSC A/53 Part 4 (`cc_data`).
package struct ClosedCaptions: Sendable, Equatable {
    /// `cc_count` has five bits.
    package static let pictureLimit = 31
    /// About a third of a second of all that can be said.
    private static let waitingLimit = 8 * pictureLimit

    /// In the order in which they came.
    package private(set) var bytes: [UInt8]

    /// Takes whole constructs.
    package init(_ bytes: some Collection<UInt8> = []) {
        self.bytes = Array(bytes.prefix(bytes.count / 3 * 3))
    }

    package var isEmpty: Bool { bytes.isEmpty }

    package mutating func append(_ later: ClosedCaptions) {
        bytes += later.bytes
        if bytes.count > 3 * Self.pictureLimit { leaveOutFilling() }
        bytes.removeLast(max(0, bytes.count - 3 * Self.waitingLimit))
    }

    /// Takes out what the next picture carries.
    package mutating func takePicturesShare() -> ClosedCaptions {
        let share = ClosedCaptions(bytes.prefix(3 * Self.pictureLimit))
        bytes.removeFirst(share.bytes.count)
        return share
    }

    /// Constructs without `cc_valid` keep a rate, and tell nothing.
    private mutating func leaveOutFilling() {
        bytes = stride(from: 0, to: bytes.count, by: 3).flatMap { start in
            bytes[start] & 0x04 == 0 ? [] : bytes[start..<start + 3]
        }
    }
}

package import Media

/// The instant that a DVB time table tells: the time and date table, or the time offset table.
///
/// Shape:  3 bytes of header, then 16 bits of Modified Julian Date and six digits of hours, minutes
///         and seconds, UTC; the time offset table goes on with descriptors, which are passed over,
///         and a CRC.
///
/// Source: ETSI EN 300 468, 5.2.5, 5.2.6 and Annex C.
package struct TimeTable: Sendable, Equatable {
    /// Where both tables come.
    package static let pid: UInt16 = 0x14

    private static let timeAndDate: UInt8 = 0x70
    private static let timeOffset: UInt8 = 0x73
    /// The Modified Julian Date of 1970-01-01.
    private static let epochDay: Int64 = 40_587

    package let instant: WallTime

    package static func isTable(_ identifier: UInt8) -> Bool {
        identifier == timeAndDate || identifier == timeOffset
    }

    /// Reads a section from its `table_id` to its end.
    ///
    /// - Returns: `nil` when it is damaged or tells no instant.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 8, bytes.count <= Section.maximumByteCount else { return nil }
        // Neither has the long form; only the time offset table has a CRC.
        guard bytes[1] & 0x80 == 0 else { return nil }
        switch bytes[0] {
        case Self.timeAndDate: guard bytes.count == 8 else { return nil }
        case Self.timeOffset:
            guard bytes.count >= 14, CRC32MPEG2.checksum(bytes) == 0 else { return nil }
        default: return nil
        }
        guard let hour = Self.number(bytes[5]), hour < 24, let minute = Self.number(bytes[6]),
            minute < 60, let second = Self.number(bytes[7]), second < 60
        else { return nil }
        let day = Int64(UInt16(bytes[3]) << 8 | UInt16(bytes[4])) - Self.epochDay
        let seconds = day * 86_400 + hour * 3_600 + minute * 60 + second
        instant = WallTime(microsecondsSinceEpoch: seconds * 1_000_000)
    }

    /// Two decimal digits of four bits each.
    private static func number(_ byte: UInt8) -> Int64? {
        let (tens, ones) = (byte >> 4, byte & 0x0F)
        return tens < 10 && ones < 10 ? Int64(tens) * 10 + Int64(ones) : nil
    }
}

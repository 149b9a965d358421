/// One section of program-specific information, its CRC checked.
///
/// Shape:  `body` is what is between the 8 bytes of header and the CRC.
/// Bound:  1,024 bytes with header and CRC; the standard allows no more for these tables.
///
/// Source: ISO/IEC 13818-1, 2.4.4.4 to 2.4.4.9.
package struct Section: Sendable, Equatable {
    /// The tables that are read here; others on the same PID are passed over.
    package enum Table: UInt8, Sendable {
        case programAssociation = 0x00
        case conditionalAccess = 0x01
        case programMap = 0x02
    }

    package enum Malformation: Error {
        case length
        case syntax
        case checksum
    }

    package static let maximumByteCount = 1_024

    package let table: Table
    /// `transport_stream_id` or `program_number`.
    package let identifier: UInt16
    package let version: UInt8
    /// `current_next_indicator`: false announces a table that is not in force yet.
    package let isCurrent: Bool
    package let number: UInt8
    package let lastNumber: UInt8
    package let body: [UInt8]

    /// Reads a section from its `table_id` to its CRC.
    package init(table: Table, _ bytes: Span<UInt8>) throws(Malformation) {
        guard bytes.count >= 12, bytes.count <= Self.maximumByteCount else { throw .length }
        // section_syntax_indicator: the long form, with version and CRC.
        guard bytes[1] & 0x80 != 0 else { throw .syntax }
        guard CRC32MPEG2.checksum(bytes) == 0 else { throw .checksum }
        self.table = table
        identifier = UInt16(bytes[3]) << 8 | UInt16(bytes[4])
        version = bytes[5] >> 1 & 0x1F
        isCurrent = bytes[5] & 1 != 0
        number = bytes[6]
        lastNumber = bytes[7]
        body = bytes.extracting(8..<(bytes.count - 4)).withUnsafeBufferPointer { Array($0) }
    }
}

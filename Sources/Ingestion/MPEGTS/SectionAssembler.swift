/// Puts the sections of one PID together from packet payloads.
///
/// Shape:  a payload that starts a unit begins with `pointer_field`: so many bytes still belong to
///         the section before, then sections follow back to back up to 0xFF stuffing.
/// Bound:  one section of at most 4,098 bytes, what its length field can say.
/// Errors: a section that breaks off or whose contents are wrong is dropped and counted.
///
/// Source: ISO/IEC 13818-1, 2.4.4.1 and 2.4.4.2.
package struct SectionAssembler: Sendable {
    /// Sections dropped.
    package private(set) var errors: UInt64 = 0
    /// Of these, the ones with a wrong CRC.
    package private(set) var checksumErrors: UInt64 = 0
    /// Sections of another table than the one that has the PID to itself.
    package private(set) var foreignSections: UInt64 = 0
    /// The newest instant that a time table told, until it is taken.
    private var time: TimeTable?
    private var bytes: [UInt8] = []
    private var isCollecting = false

    private let onlyTable: Section.Table?

    /// - Parameter onlyTable: The one that may come on the PID, where there is such a rule.
    package init(onlyTable: Section.Table? = nil) {
        self.onlyTable = onlyTable
    }

    /// - Returns: The sections that end in this payload.
    package mutating func receive(_ payload: Span<UInt8>, startsUnit: Bool) -> [Section] {
        var sections: [Section] = []
        guard startsUnit else {
            // Behind a section's end there is only stuffing until the next start.
            if isCollecting { _ = collect(payload, into: &sections) }
            return sections
        }
        guard !payload.isEmpty, 1 + Int(payload[0]) <= payload.count else {
            lose()
            errors &+= 1
            return sections
        }
        var position = 1 + Int(payload[0])
        if isCollecting {
            _ = collect(payload.extracting(1..<position), into: &sections)
            lose()
        }
        while position < payload.count, payload[position] != 0xFF {
            bytes.removeAll(keepingCapacity: true)
            isCollecting = true
            position += collect(payload.extracting(position..<payload.count), into: &sections)
        }
        return sections
    }

    /// Packets are missing: a section in the making cannot be completed.
    package mutating func lose() {
        if isCollecting { errors &+= 1 }
        isCollecting = false
    }

    /// A time table has no form in common with the others: it does not come as a section.
    ///
    /// - Returns: The newest since the last call.
    package mutating func takeTime() -> TimeTable? {
        defer { time = nil }
        return time
    }

    /// - Returns: How many of the bytes belong to this section.
    private mutating func collect(_ input: Span<UInt8>, into sections: inout [Section]) -> Int {
        var position = 0
        while position < input.count {
            let byteCount = bytes.count < 3 ? 3 : 3 + lengthField
            let taken = min(byteCount - bytes.count, input.count - position)
            input.extracting(position..<(position + taken)).withUnsafeBufferPointer {
                bytes.append(contentsOf: $0)
            }
            position += taken
            if bytes.count >= 3, bytes.count == 3 + lengthField {
                complete(into: &sections)
                break
            }
        }
        return position
    }

    private var lengthField: Int {
        Int(bytes[1] & 0x0F) << 8 | Int(bytes[2])
    }

    private mutating func complete(into sections: inout [Section]) {
        isCollecting = false
        if let onlyTable, bytes[0] != onlyTable.rawValue { foreignSections &+= 1 }
        guard !TimeTable.isTable(bytes[0]) else {
            time = TimeTable(bytes.span)
            if time == nil { errors &+= 1 }
            return
        }
        guard let table = Section.Table(rawValue: bytes[0]) else { return }
        do {
            sections.append(try Section(table: table, bytes.span))
        } catch {
            errors &+= 1
            if error == .checksum { checksumErrors &+= 1 }
        }
    }
}

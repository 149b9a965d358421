/// The header and the adaptation field of one transport packet.
///
/// Shape:  4 bytes of header, an optional adaptation field, the payload up to byte 188.
/// Errors: none. An adaptation field longer than the packet leaves an empty payload and sets
///         `isMalformed`.
///
/// Source: ISO/IEC 13818-1, 2.4.3.2 to 2.4.3.5.
struct TransportPacket {
    static let byteCount = 188
    static let nullPID: UInt16 = 0x1FFF

    let pid: UInt16
    /// `transport_error_indicator`: the sender knows that bits are wrong.
    let hasTransportError: Bool
    /// `payload_unit_start_indicator`: a PES packet begins here, or a section does.
    let startsUnit: Bool
    let isScrambled: Bool
    let continuityCounter: UInt8
    /// `discontinuity_indicator`: the continuity counter, or on the PCR's PID the clock, begins anew.
    private(set) var isDiscontinuous = false
    /// The adaptation field holds more bytes than its contents take.
    private(set) var isStuffed = false
    private(set) var isMalformed = false
    /// Empty when the packet carries none.
    private(set) var payload: Range<Int>

    /// - Parameter bytes: At least 188.
    init(_ bytes: Span<UInt8>) {
        let flags = bytes[1]
        pid = UInt16(flags & 0x1F) << 8 | UInt16(bytes[2])
        hasTransportError = flags & 0x80 != 0
        startsUnit = flags & 0x40 != 0
        let control = bytes[3]
        isScrambled = control & 0xC0 != 0
        continuityCounter = control & 0x0F
        payload = 4..<Self.byteCount
        if control & 0x20 != 0 { parseAdaptationField(bytes) }
        if control & 0x10 == 0 { payload = Self.byteCount..<Self.byteCount }
    }

    private mutating func parseAdaptationField(_ bytes: Span<UInt8>) {
        let length = Int(bytes[4])
        let end = 5 + length
        guard end <= Self.byteCount else {
            isMalformed = true
            return
        }
        payload = end..<Self.byteCount
        // A field of length 0, or one that says nothing, is there for its length only.
        guard length > 0 else {
            isStuffed = true
            return
        }
        let flags = bytes[5]
        isDiscontinuous = flags & 0x80 != 0
        guard flags != 0 else {
            isStuffed = true
            return
        }
        var used = 1
        if flags & 0x10 != 0 { used += 6 }  // PCR
        if flags & 0x08 != 0 { used += 6 }  // OPCR
        if flags & 0x04 != 0 { used += 1 }  // splice_countdown
        for flag in [0x02, 0x01] as [UInt8] where flags & flag != 0 {
            // transport_private_data and the extension each begin with their length.
            guard used < length else { return }
            used += 1 + Int(bytes[5 + used])
        }
        isStuffed = used < length
    }
}

/// The header and the adaptation field of one transport packet.
///
/// Shape:  4 bytes of header, an optional adaptation field, the payload up to byte 188.
/// Errors: none. An adaptation field longer than the packet leaves an empty payload and sets
///         `isMalformed`.
///
/// Source: ISO/IEC 13818-1, 2.4.3.2 and 2.4.3.3.
struct TransportPacket {
    static let byteCount = 188
    static let nullPID: UInt16 = 0x1FFF
    /// The header of a packet without an adaptation field.
    static let plainHeaderByteCount = 4

    /// The bytes of the header behind the sync byte; its fields are read when they are asked for.
    private let header: UInt32
    /// The adaptation field's flags that are about the clock.
    private let clockFlags: UInt8
    /// The adaptation field holds more bytes than its contents take.
    let isStuffed: Bool
    let isMalformed: Bool
    /// Empty when the packet carries none.
    let payload: Range<Int>

    /// - Parameter bytes: At least 188.
    init(_ bytes: Span<UInt8>) {
        header = UInt32(bytes[3]) | UInt32(bytes[2]) << 8 | UInt32(bytes[1]) << 16
        let field = header & 0x20 != 0 ? AdaptationField(bytes) : .absent
        clockFlags = field.clockFlags
        isStuffed = field.isStuffed
        isMalformed = field.end > Self.byteCount
        let hasPayload = header & 0x10 != 0 && !isMalformed
        payload = (hasPayload ? field.end : Self.byteCount)..<Self.byteCount
    }

    /// The first four bytes of a packet that only goes on with a PES packet or section: in clear, without
    /// an adaptation field, and with a continuity counter of 0.
    static func continuationHeader(pid: UInt16) -> UInt32 {
        0x4700_0010 | UInt32(pid) << 8
    }

    var pid: UInt16 { UInt16(truncatingIfNeeded: header >> 8) & 0x1FFF }

    /// `transport_error_indicator`: the sender knows that bits are wrong.
    var hasTransportError: Bool { header & 0x80_0000 != 0 }

    /// `payload_unit_start_indicator`: a PES packet begins here, or a section does.
    var startsUnit: Bool { header & 0x40_0000 != 0 }

    /// `discontinuity_indicator`: the counter, or on the PCR's PID the clock, begins anew.
    var isDiscontinuous: Bool { clockFlags & AdaptationField.discontinuityFlag != 0 }

    /// There is a PCR, or the clock begins anew.
    var concernsClock: Bool { clockFlags != 0 }

    /// The PCR, from the packet's bytes.
    ///
    /// - Returns: Ticks of 27 MHz, modulo 2^33 × 300; `nil` when there is none.
    func clock(in bytes: Span<UInt8>) -> Int64? {
        guard clockFlags & AdaptationField.clockFlag != 0, bytes[4] >= 7 else { return nil }
        let base =
            Int64(bytes[6]) << 25 | Int64(bytes[7]) << 17 | Int64(bytes[8]) << 9
            | Int64(bytes[9]) << 1 | Int64(bytes[10] >> 7)
        return base * 300 + (Int64(bytes[10] & 1) << 8 | Int64(bytes[11]))
    }

    var isScrambled: Bool { header & 0xC0 != 0 }

    var continuityCounter: UInt8 { UInt8(truncatingIfNeeded: header) & 0x0F }
}

/// What is read of a transport packet's adaptation field.
///
/// Source: ISO/IEC 13818-1, 2.4.3.4 and 2.4.3.5.
private struct AdaptationField {
    static let discontinuityFlag: UInt8 = 0x80
    static let clockFlag: UInt8 = 0x10
    static let absent = AdaptationField(end: 4, clockFlags: 0, isStuffed: false)

    /// Where the payload begins; above 188 when the length is wrong.
    let end: Int
    let clockFlags: UInt8
    let isStuffed: Bool

    private init(end: Int, clockFlags: UInt8, isStuffed: Bool) {
        self.end = end
        self.clockFlags = clockFlags
        self.isStuffed = isStuffed
    }

    init(_ bytes: Span<UInt8>) {
        let length = Int(bytes[4])
        end = 5 + length
        // A field of length 0, or one that says nothing, is there for its length only.
        guard length > 0, end <= TransportPacket.byteCount, bytes[5] != 0 else {
            clockFlags = 0
            isStuffed = true
            return
        }
        let flags = bytes[5]
        clockFlags = flags & (Self.discontinuityFlag | Self.clockFlag)
        var used = 1
        if flags & Self.clockFlag != 0 { used += 6 }  // PCR
        if flags & 0x08 != 0 { used += 6 }  // OPCR
        if flags & 0x04 != 0 { used += 1 }  // splice_countdown
        // transport_private_data and the extension each begin with their length.
        if flags & 0x02 != 0, used < length { used += 1 + Int(bytes[5 + used]) }
        if flags & 0x01 != 0, used < length { used += 1 + Int(bytes[5 + used]) }
        isStuffed = used < length
    }
}

import Ingestion

/// Writes MPEG transport streams for tests: tables and PES packets of every codec that is read.
///
/// Each call returns the next bytes of the stream. Continuity counters run on from call to call, so
/// what is left out of the stream is a loss to whoever reads it.
///
/// Source: ISO/IEC 13818-1, 2.4.3 and 2.4.4.
package struct TransportStreamWriter: Sendable {
    /// How a PES packet says where it ends.
    package enum PESLength: Sendable {
        /// By its length field. Payloads above 65,522 bytes have none, for want of bits.
        case bounded
        /// Not at all: length 0, as ffmpeg writes video.
        case unbounded
    }

    package struct Program: Sendable {
        package var number: UInt16
        package var mapPID: UInt16
        package var clockPID: UInt16
        package var streams: [Stream]

        /// The first stream carries the clock.
        package init(number: UInt16 = 1, mapPID: UInt16 = 0x1000, streams: [Stream]) {
            self.number = number
            self.mapPID = mapPID
            self.streams = streams
            clockPID = streams.first?.pid ?? 0x1FFF
        }
    }

    package var programs: [Program]
    /// Written into both tables; whoever changes `programs` counts it up.
    package var version: UInt8 = 0
    /// 188, 192 (a timestamp in front) or 204 (parity behind).
    package var packetSize = 188
    private var continuity: [UInt16: UInt8] = [:]

    package init(programs: [Program]) {
        self.programs = programs
    }

    package init(streams: [Stream]) {
        self.init(programs: [Program(streams: streams)])
    }

    /// The program association table and all program maps.
    package mutating func tables() -> [UInt8] {
        let entries = programs.flatMap { Self.bigEndian($0.number) + Self.pid($0.mapPID) }
        var bytes = sections(
            [Self.section(table: 0, identifier: 1, version: version, body: entries)],
            on: 0
        )
        for program in programs { bytes += map(of: program) }
        return bytes
    }

    /// One program's map.
    package mutating func map(of program: Program) -> [UInt8] {
        var body = Self.pid(program.clockPID) + [0xF0, 0]
        for stream in program.streams {
            body += [stream.streamType] + Self.pid(stream.pid)
            body += Self.bigEndian(0xF000 | UInt16(stream.descriptors.count)) + stream.descriptors
        }
        return sections(
            [Self.section(table: 2, identifier: program.number, version: version, body: body)],
            on: program.mapPID
        )
    }

    /// Sections back to back in as many packets as they take.
    package mutating func sections(_ sections: [[UInt8]], on pid: UInt16) -> [UInt8] {
        var rest = ([0] + sections.joined())[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            let chunk = rest.prefix(184)
            rest = rest.dropFirst(184)
            bytes += packet(
                pid: pid,
                startsUnit: bytes.isEmpty,
                payload: chunk + [UInt8](repeating: 0xFF, count: 184 - chunk.count)
            )
        }
        return bytes
    }

    /// A section with header and CRC.
    package static func section(
        table: UInt8,
        identifier: UInt16,
        version: UInt8 = 0,
        isCurrent: Bool = true,
        number: UInt8 = 0,
        lastNumber: UInt8 = 0,
        body: [UInt8]
    ) -> [UInt8] {
        let bytes =
            [table] + bigEndian(0xB000 | UInt16(body.count + 9)) + bigEndian(identifier)
            + [0xC0 | version << 1 | (isCurrent ? 1 : 0), number, lastNumber] + body
        let checksum = CRC32MPEG2.checksum(bytes.span)
        return bytes
            + bigEndian(UInt16(checksum >> 16)) + bigEndian(UInt16(truncatingIfNeeded: checksum))
    }

    /// A time and date table, or with a CRC behind it a time offset table of no time zone.
    ///
    /// `digits` are hours, minutes and seconds.
    package static func timeTable(
        modifiedJulianDay day: UInt16,
        digits: [UInt8],
        hasOffsets: Bool = false
    ) -> [UInt8] {
        let time = bigEndian(day) + digits
        guard hasOffsets else { return [0x70] + bigEndian(0x7000 | UInt16(time.count)) + time }
        let body = time + [0xF0, 0]
        let bytes = [0x73] + bigEndian(0x7000 | UInt16(body.count + 4)) + body
        let checksum = CRC32MPEG2.checksum(bytes.span)
        return bytes
            + bigEndian(UInt16(checksum >> 16)) + bigEndian(UInt16(truncatingIfNeeded: checksum))
    }

    /// A PES packet with one access unit, or whatever else the payload is.
    ///
    /// - Parameters:
    ///   - payload: The elementary stream's bytes.
    ///   - stream: One of a program's.
    ///   - pts: Taken modulo 2^33; `nil` leaves it out.
    ///   - dts: The same; `nil` when it equals `pts`.
    ///   - length: Whether the PES packet tells where it ends.
    ///   - hasClock: Puts a PCR 100 ms before the decoding time into the first packet.
    ///   - isDiscontinuous: Sets `discontinuity_indicator` in the first packet.
    /// - Returns: Its transport packets, the last one filled up in its adaptation field.
    package mutating func pes(
        _ payload: [UInt8],
        on stream: Stream,
        pts: Int64?,
        dts: Int64? = nil,
        length: PESLength = .bounded,
        hasClock: Bool = false,
        isDiscontinuous: Bool = false
    ) -> [UInt8] {
        var header: [UInt8] = [0x80, 0, 0]
        if let pts {
            header[1] = dts == nil ? 0x80 : 0xC0
            header += Self.timestamp(pts, prefix: dts == nil ? 2 : 3)
            if let dts { header += Self.timestamp(dts, prefix: 1) }
            header[2] = UInt8(header.count - 3)
        }
        let byteCount = header.count + payload.count
        let isBounded = length == .bounded && byteCount <= 0xFFFF
        let whole =
            [0, 0, 1, stream.streamID] + Self.bigEndian(isBounded ? UInt16(byteCount) : 0)
            + header + payload
        var first: [UInt8] = []
        if hasClock || isDiscontinuous {
            first = [(isDiscontinuous ? 0x80 : 0) | (hasClock ? 0x10 : 0)]
            if hasClock { first += Self.clock((dts ?? pts ?? 0) &- 9_000) }
        }
        var rest = whole[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            let adaptation = bytes.isEmpty ? first : []
            let room = 184 - (adaptation.isEmpty ? 0 : adaptation.count + 1)
            bytes += packet(
                pid: stream.pid,
                startsUnit: bytes.isEmpty,
                payload: Array(rest.prefix(room)),
                adaptation: adaptation
            )
            rest = rest.dropFirst(room)
        }
        return bytes
    }

    /// One packet; a payload that does not fill it is preceded by stuffing.
    ///
    /// `adaptation` is the adaptation field from its flags on; empty for none.
    package mutating func packet(
        pid: UInt16,
        startsUnit: Bool,
        payload: [UInt8],
        adaptation: [UInt8] = [],
        scrambling: UInt8 = 0
    ) -> [UInt8] {
        var field = adaptation
        let fill = 184 - payload.count - (field.isEmpty ? 0 : field.count + 1)
        let hasField = !field.isEmpty || fill > 0
        if field.isEmpty, fill > 1 { field = [0] }
        let stuffing = hasField ? 184 - payload.count - 1 - field.count : 0
        field += [UInt8](repeating: 0xFF, count: max(stuffing, 0))
        var counter = continuity[pid] ?? 0
        let control = scrambling << 6 | (hasField ? 0x20 : 0) | (payload.isEmpty ? 0 : 0x10)
        let header = [
            0x47, (startsUnit ? 0x40 : 0) | UInt8(pid >> 8), UInt8(truncatingIfNeeded: pid),
            control | counter,
        ]
        if !payload.isEmpty {
            counter = (counter + 1) & 0x0F
            continuity[pid] = counter
        }
        return framed(header + (hasField ? [UInt8(field.count)] + field : []) + payload)
    }

    /// A packet of nothing.
    package func nullPacket() -> [UInt8] {
        framed([0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0, count: 184))
    }

    private func framed(_ packet: [UInt8]) -> [UInt8] {
        switch packetSize {
        case 192: [0, 1, 2, 3] + packet
        case 204: packet + [UInt8](repeating: 0xAA, count: 16)
        default: packet
        }
    }

    private static func bigEndian(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
    }

    private static func pid(_ pid: UInt16) -> [UInt8] {
        bigEndian(0xE000 | pid)
    }

    private static func timestamp(_ ticks: Int64, prefix: UInt8) -> [UInt8] {
        func bits(_ shift: Int64, _ mask: Int64) -> UInt8 { UInt8(ticks >> shift & mask) }
        return [
            prefix << 4 | bits(30, 0x07) << 1 | 1, bits(22, 0xFF), bits(15, 0x7F) << 1 | 1,
            bits(7, 0xFF), bits(0, 0x7F) << 1 | 1,
        ]
    }

    /// 33 bits at 90 kHz, 6 reserved, and 9 bits at 27 MHz that are 0 here.
    private static func clock(_ ticks: Int64) -> [UInt8] {
        func bits(_ shift: Int64) -> UInt8 { UInt8(ticks >> shift & 0xFF) }
        return [bits(25), bits(17), bits(9), bits(1), UInt8(ticks & 1) << 7 | 0x7E, 0]
    }
}

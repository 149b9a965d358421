import NIOCore

/// Temporal units out of an AV1 elementary stream.
///
/// Two forms are met in transport streams and told apart by their first bytes: OBUs behind start
/// codes with emulation prevention (Carriage of AV1 in MPEG-2 TS), and low overhead OBUs, which
/// can never begin with two zero bytes.
/// Source: AV1 Bitstream & Decoding Process Specification, 5.2, 5.9.2, 7.5.
struct AV1Parser: VideoElementaryParser {
    private(set) var format: VideoFormat?
    private(set) var droppedUnits: UInt64 = 0

    private var sequenceHeader: AV1SequenceHeader?
    private var sequenceHeaderUnit = ByteBuffer()
    private var hasNewSequenceHeader = false

    private var unitRanges: [Range<Int>] = []
    private var unescaped = ByteBuffer()
    /// OBUs of the temporal unit under construction.
    private var units: [AV1OpenBitstreamUnit] = []
    /// Of the first frame header in the temporal unit; `nil` before it.
    private var beginsWithKeyframe: Bool?
    /// No frame of the temporal unit stays for others to refer to.
    private var isDisposable = true

    mutating func parse(_ bytes: Span<UInt8>) -> [VideoUnit] {
        guard Self.hasStartCode(bytes) else {
            let whole = 0..<bytes.count
            return assemble(bytes, ranges: [whole], areWholeUnits: false)
        }
        // The ranges refer to bytes without emulation prevention: they are made anew while copying.
        AnnexB.split(bytes, trimmingZeros: false, into: &unitRanges)
        var buffer = unescaped
        unescaped = ByteBuffer()
        defer { unescaped = buffer }
        buffer.clear()
        buffer.reserveCapacity(bytes.count)
        for index in unitRanges.indices {
            let start = buffer.writerIndex
            AnnexB.forEachUnescapedChunk(of: bytes.extracting(unitRanges[index])) { chunk in
                buffer.writeBytes(chunk)
            }
            unitRanges[index] = start..<buffer.writerIndex
        }
        return assemble(buffer.readableBytesUInt8Span, ranges: unitRanges, areWholeUnits: true)
    }

    var hasParameterSets: Bool { sequenceHeader != nil }

    mutating func parse(_ bytes: Span<UInt8>, units: [Range<Int>]) -> [VideoUnit] {
        assemble(bytes, ranges: units, areWholeUnits: true)
    }

    private static func hasStartCode(_ bytes: Span<UInt8>) -> Bool {
        bytes.count > 3 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] <= 1
    }

    private mutating func assemble(
        _ bytes: Span<UInt8>,
        ranges: [Range<Int>],
        areWholeUnits: Bool
    ) -> [VideoUnit] {
        var result: [VideoUnit] = []
        for range in ranges {
            var rest = range
            while !rest.isEmpty, units.count < AnnexB.unitLimit,
                let unit = try? AV1OpenBitstreamUnit(bytes, in: rest, isWhole: areWholeUnits)
            {
                consume(unit, of: bytes, result: &result)
                if areWholeUnits { break }
                rest = unit.payload.upperBound..<rest.upperBound
            }
        }
        finishTemporalUnit(of: bytes, result: &result)
        return result
    }

    private mutating func consume(
        _ unit: AV1OpenBitstreamUnit,
        of bytes: Span<UInt8>,
        result: inout [VideoUnit]
    ) {
        switch unit.kind {
        case AV1OpenBitstreamUnit.Kind.temporalDelimiter:
            finishTemporalUnit(of: bytes, result: &result)
            return
        case AV1OpenBitstreamUnit.Kind.tileList, AV1OpenBitstreamUnit.Kind.padding:
            return
        case AV1OpenBitstreamUnit.Kind.sequenceHeader:
            updateSequenceHeader(unit, of: bytes)
        case AV1OpenBitstreamUnit.Kind.frameHeader, AV1OpenBitstreamUnit.Kind.frame:
            if beginsWithKeyframe == nil {
                beginsWithKeyframe = isShownKeyframe(bytes.extracting(unit.payload))
            }
            if isDisposable { isDisposable = isUnreferenced(bytes.extracting(unit.payload)) }
        default:
            break
        }
        units.append(unit)
    }

    private mutating func updateSequenceHeader(
        _ unit: AV1OpenBitstreamUnit,
        of bytes: Span<UInt8>
    ) {
        var encoded = ByteBufferAllocator().buffer(capacity: unit.encodedSize)
        unit.write(from: bytes, to: &encoded)
        guard encoded != sequenceHeaderUnit,
            encoded.readableBytes <= ParameterSetTable<AV1SequenceHeader>.sizeLimit,
            let header = try? AV1SequenceHeader(bytes.extracting(unit.payload))
        else { return }
        sequenceHeader = header
        sequenceHeaderUnit = encoded
        hasNewSequenceHeader = true
        isDisposable = false
    }

    /// Whether a frame header is of a key frame that is shown at once: the only place where a
    /// decoder can begin without delay.
    ///
    /// Source: 5.9.2.
    private func isShownKeyframe(_ frame: Span<UInt8>) -> Bool {
        if sequenceHeader?.isReduced == true { return true }
        // show_existing_frame 0, frame_type KEY_FRAME, show_frame 1
        return !frame.isEmpty && frame[0] & 0xF0 == 0x10
    }

    /// Whether no later frame can refer to this one; not when that cannot be told.
    private func isUnreferenced(_ frame: Span<UInt8>) -> Bool {
        guard let sequenceHeader,
            let header = try? AV1FrameHeader(frame, in: sequenceHeader)
        else { return false }
        return header.refreshedSlots == 0
    }

    private mutating func finishTemporalUnit(of bytes: Span<UInt8>, result: inout [VideoUnit]) {
        defer {
            units.removeAll(keepingCapacity: true)
            beginsWithKeyframe = nil
            isDisposable = true
        }
        guard let beginsWithKeyframe else { return }
        let newFormat = beginsWithKeyframe ? updateFormat() : nil
        guard format != nil else {
            droppedUnits &+= 1
            return
        }
        let size = units.reduce(0) { $0 + $1.encodedSize }
        var payload = ByteBuffer(exactCapacity: size)
        for unit in units { unit.write(from: bytes, to: &payload) }
        result.append(
            VideoUnit(
                payload: payload,
                randomAccess: beginsWithKeyframe ? .closed : .none,
                isDisposable: isDisposable,
                newFormat: newFormat
            )
        )
    }

    /// - Returns: The format, when it differs from the one before.
    private mutating func updateFormat() -> VideoFormat? {
        guard hasNewSequenceHeader, let sequenceHeader else { return nil }
        hasNewSequenceHeader = false
        let latest = sequenceHeader.format(headerUnit: sequenceHeaderUnit)
        guard latest != format else { return nil }
        format = latest
        return latest
    }
}

import NIOCore

/// Access units out of an H.264 byte stream.
///
/// A frame coded as two fields is one unit when both fields come in one call.
/// Source: ITU-T H.264 7.4.1.2.3 (order of NAL units), Annex B, D.2.8 (recovery point).
struct H264Parser: VideoElementaryParser {
    private(set) var format: VideoFormat?
    private(set) var droppedUnits: UInt64 = 0

    private var sequences = ParameterSetTable<H264SequenceParameterSet>(idLimit: 32)
    private var pictures = ParameterSetTable<H264PictureParameterSet>(idLimit: 256)
    /// The parameter sets from which `format` was made.
    private var formatRevision: [Int] = []

    private var unitRanges: [Range<Int>] = []
    private var reader = BitReader()
    /// NAL units met since the last slice that belong to the next access unit.
    private var prefix = NALUnitGroup()
    private var unit = NALUnitGroup()
    private var picture: Picture?

    /// The slices of the access unit under construction, taken together.
    private struct Picture {
        let first: H264SliceHeader
        var last: H264SliceHeader
        var isIntra: Bool
        var isDisposable: Bool
        var fields = 1

        init(_ slice: H264SliceHeader) {
            first = slice
            last = slice
            isIntra = slice.isIntra
            isDisposable = !slice.isReference
        }

        mutating func add(_ slice: H264SliceHeader) {
            last = slice
            isIntra = isIntra && slice.isIntra
            isDisposable = isDisposable && !slice.isReference
        }
    }

    var hasParameterSets: Bool { !sequences.isEmpty && !pictures.isEmpty }

    mutating func parse(_ bytes: Span<UInt8>) -> [VideoUnit] {
        var ranges = unitRanges
        unitRanges = []
        defer { unitRanges = ranges }
        AnnexB.split(bytes, into: &ranges)
        return parse(bytes, units: ranges)
    }

    mutating func parse(_ bytes: Span<UInt8>, units ranges: [Range<Int>]) -> [VideoUnit] {
        var units: [VideoUnit] = []
        for range in ranges where !range.isEmpty {
            consume(range, isFirst: range == ranges.first, of: bytes, units: &units)
        }
        finishUnit(of: bytes, units: &units)
        prefix.clear()
        return units
    }

    private mutating func consume(
        _ range: Range<Int>,
        isFirst: Bool,
        of bytes: Span<UInt8>,
        units: inout [VideoUnit]
    ) {
        // nal_unit_type, Table 7-1.
        switch bytes[range.lowerBound] & 0x1F {
        case 1, 2, 5:
            consumeSlice(range, isFirst: isFirst, of: bytes, units: &units)
        case 3, 4, 10, 19:
            if picture != nil { unit.append(range) }
        case 6:
            prefix.beginsAccessUnit = true
            prefix.append(range)
            reader.load(unescaping: bytes.extracting(range))
            if Self.hasRecoveryPoint(&reader) { prefix.hasRecoveryPoint = true }
        case 7:
            prefix.beginsAccessUnit = true
            prefix.hasSequenceParameterSet = true
            let isChanged = sequences.update(bytes.extracting(range)) { unit in
                (try? H264SequenceParameterSet(unit)).map { ($0.id, $0) }
            }
            if isChanged { prefix.appendChangedParameterSet(range) }
        case 8:
            prefix.beginsAccessUnit = true
            let isChanged = pictures.update(bytes.extracting(range)) { unit in
                (try? H264PictureParameterSet(unit)).map { ($0.id, $0) }
            }
            if isChanged { prefix.appendChangedParameterSet(range) }
        case 9, 15...18:
            prefix.beginsAccessUnit = true
        default:
            // End of stream, filler, extensions of layers that are not carried: type 14 comes before
            // each slice, so it tells nothing of where an access unit begins.
            break
        }
    }

    private mutating func consumeSlice(
        _ range: Range<Int>,
        isFirst: Bool,
        of bytes: Span<UInt8>,
        units: inout [VideoUnit]
    ) {
        reader.load(unescaping: bytes.extracting(range), limit: H264SliceHeader.byteLimit)
        guard
            let slice = try? H264SliceHeader(&reader, sequences: sequences, pictures: pictures)
        else {
            // Parameter sets are missing or the header is damaged: with no picture to belong to,
            // the slice is a picture that cannot be decoded.
            if picture == nil, prefix.beginsAccessUnit || isFirst {
                droppedUnits &+= 1
            }
            return
        }
        if let current = picture {
            if prefix.beginsAccessUnit || slice.beginsPicture(after: current.last) {
                if current.fields == 1, slice.completesFrame(begunBy: current.first) {
                    picture?.fields = 2
                } else {
                    finishUnit(of: bytes, units: &units)
                }
            }
        }
        if picture == nil { picture = Picture(slice) }
        picture?.add(slice)
        unit.append(prefix)
        prefix.clear()
        unit.append(range)
    }

    private mutating func finishUnit(of bytes: Span<UInt8>, units: inout [VideoUnit]) {
        guard let picture else { return }
        defer {
            self.picture = nil
            unit.clear()
        }
        let randomAccess = randomAccess(of: picture)
        let newFormat = randomAccess == .none ? nil : updateFormat(for: picture.first)
        guard format != nil else {
            droppedUnits &+= 1
            return
        }
        let payload = unit.payload(of: bytes, includingParameterSets: randomAccess == .none)
        units.append(
            VideoUnit(
                payload: payload,
                randomAccess: randomAccess,
                isDisposable: picture.isDisposable && unit.changedParameterSets.isEmpty,
                newFormat: newFormat
            )
        )
    }

    private func randomAccess(of picture: Picture) -> AccessUnit.RandomAccess {
        if picture.first.isIDR { return .closed }
        // Some encoders send neither IDR nor recovery points, but a sequence parameter set with
        // each intra picture where decoding may begin.
        let isEntry = unit.hasRecoveryPoint || (unit.hasSequenceParameterSet && picture.isIntra)
        return isEntry ? .open : .none
    }

    /// - Returns: The format, when it differs from the one before.
    private mutating func updateFormat(for slice: H264SliceHeader) -> VideoFormat? {
        let revision = [sequences.revision, pictures.revision, slice.sequenceParameterSet]
        guard revision != formatRevision, let sequence = sequences[slice.sequenceParameterSet]
        else { return nil }
        formatRevision = revision
        let latest = VideoFormat(
            sequence.parsed,
            sequenceBytes: sequence.bytes,
            pictureBytes: pictures.all { $0.sequenceParameterSet == sequence.parsed.id }.map(
                \.bytes
            )
        )
        guard latest != format else { return nil }
        format = latest
        return latest
    }

    /// Looks for a recovery point message among those of an SEI NAL unit.
    ///
    /// Source: 7.3.2.3.1, D.2.8.
    private static func hasRecoveryPoint(_ reader: inout BitReader) -> Bool {
        do {
            try reader.skip(8)
            // What is left at the end is rbsp_trailing_bits.
            while reader.bitsLeft > 16 {
                if try readSize(&reader) == 6 { return true }
                try reader.skip(8 * readSize(&reader))
            }
        } catch {}
        return false
    }

    /// A payload type or size: 255 as often as it fits, then the rest.
    private static func readSize(_ reader: inout BitReader) throws(BitstreamError) -> Int {
        var size = 0
        while true {
            let byte = try reader.int(8)
            size += byte
            if byte != 255 { return size }
        }
    }
}

import NIOCore

/// Access units out of an HEVC byte stream.
///
/// Only the base layer is carried.
///
/// Source: ITU-T H.265 7.4.2.4.4 (order of NAL units), Annex B, 8.1.3 (RASL pictures).
struct HEVCParser: VideoElementaryParser {
    private(set) var format: VideoFormat?
    private(set) var droppedUnits: UInt64 = 0

    private var videos = ParameterSetTable<HEVCVideoParameterSet>(idLimit: 16)
    private var sequences = ParameterSetTable<HEVCSequenceParameterSet>(idLimit: 16)
    private var pictures = ParameterSetTable<HEVCPictureParameterSet>(idLimit: 64)
    /// The parameter sets from which `format` was made.
    private var formatRevision: [Int] = []
    private var highestSubLayer = 0
    /// RASL pictures refer to pictures that were never received: after the first CRA, and any BLA.
    private var dropsSkippedLeading = false
    private var hasStarted = false

    private var unitRanges: [Range<Int>] = []
    private var reader = BitReader()
    /// NAL units met since the last slice that belong to the next access unit.
    private var prefix = NALUnitGroup()
    private var unit = NALUnitGroup()
    private var picture: Picture?

    private struct Picture {
        let type: UInt8
        let temporalID: UInt8
        let pictureParameterSet: Int
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
            consume(range, of: bytes, units: &units)
        }
        finishUnit(of: bytes, units: &units)
        prefix.clear()
        return units
    }

    private mutating func consume(
        _ range: Range<Int>,
        of bytes: Span<UInt8>,
        units: inout [VideoUnit]
    ) {
        guard range.count > 2 else { return }
        let type = bytes[range.lowerBound] >> 1 & 0x3F
        let layerID = (bytes[range.lowerBound] & 1) << 5 | bytes[range.lowerBound + 1] >> 3
        guard layerID == 0 else { return }
        if HEVCUnitType.beginsAccessUnit(type) { prefix.beginsAccessUnit = true }
        let nal = bytes.extracting(range)
        var isChangedParameterSet = false
        switch type {
        case _ where HEVCUnitType.isSlice(type):
            consumeSlice(range, type: type, of: bytes, units: &units)
        case HEVCUnitType.videoParameterSet:
            isChangedParameterSet = videos.update(nal) { unit in
                (try? HEVCVideoParameterSet(unit)).map { ($0.id, $0) }
            }
        case HEVCUnitType.sequenceParameterSet:
            isChangedParameterSet = sequences.update(nal) { unit in
                (try? HEVCSequenceParameterSet(unit)).map { ($0.id, $0) }
            }
        case HEVCUnitType.pictureParameterSet:
            isChangedParameterSet = pictures.update(nal) { unit in
                (try? HEVCPictureParameterSet(unit)).map { ($0.id, $0) }
            }
        case 39:
            prefix.append(range)
        case 36, 40:
            // End of sequence, suffix SEI.
            if picture != nil { unit.append(range) }
        default:
            // AUD, end of bitstream, filler and reserved types.
            break
        }
        if isChangedParameterSet { prefix.appendChangedParameterSet(range) }
    }

    private mutating func consumeSlice(
        _ range: Range<Int>,
        type: UInt8,
        of bytes: Span<UInt8>,
        units: inout [VideoUnit]
    ) {
        let isFirstOfPicture = bytes[range.lowerBound + 2] & 0x80 != 0
        if isFirstOfPicture || prefix.beginsAccessUnit {
            finishUnit(of: bytes, units: &units)
        }
        if picture == nil {
            reader.load(unescaping: bytes.extracting(range), limit: 16)
            guard isFirstOfPicture, let id = try? readPictureParameterSetID(type: type) else {
                return
            }
            picture = Picture(
                type: type,
                temporalID: max(bytes[range.lowerBound + 1] & 7, 1) - 1,
                pictureParameterSet: id
            )
        }
        unit.append(prefix)
        prefix.clear()
        unit.append(range)
    }

    /// Source: ITU-T H.265 7.3.6.1.
    private mutating func readPictureParameterSetID(type: UInt8) throws(BitstreamError) -> Int {
        // NAL unit header, first_slice_segment_in_pic_flag
        try reader.skip(17)
        if HEVCUnitType.isRandomAccessPoint(type) { try reader.skip(1) }
        return try reader.ue(max: 63)
    }

    private mutating func finishUnit(of bytes: Span<UInt8>, units: inout [VideoUnit]) {
        guard let picture else { return }
        defer {
            self.picture = nil
            unit.clear()
        }
        let randomAccess = randomAccess(of: picture)
        let newFormat = randomAccess == .none ? nil : updateFormat(for: picture)
        let isUndecodable = HEVCUnitType.isSkippedLeading(picture.type) && dropsSkippedLeading
        guard format != nil, !isUndecodable else {
            droppedUnits &+= 1
            return
        }
        if randomAccess != .none {
            dropsSkippedLeading = !hasStarted || HEVCUnitType.isBrokenLink(picture.type)
            hasStarted = true
        }
        units.append(
            VideoUnit(
                payload: unit.payload(of: bytes, includingParameterSets: randomAccess == .none),
                randomAccess: randomAccess,
                isDisposable: HEVCUnitType.isSubLayerNonReference(picture.type)
                    && Int(picture.temporalID) >= highestSubLayer
                    && unit.changedParameterSets.isEmpty,
                temporalLayer: Int(picture.temporalID),
                newFormat: newFormat
            )
        )
    }

    private func randomAccess(of picture: Picture) -> AccessUnit.RandomAccess {
        guard HEVCUnitType.isRandomAccessPoint(picture.type) else { return .none }
        return picture.type == HEVCUnitType.cleanRandomAccess ? .open : .closed
    }

    /// - Returns: The format, when it differs from the one before.
    private mutating func updateFormat(for picture: Picture) -> VideoFormat? {
        guard
            let sequenceID = pictures[picture.pictureParameterSet]?.parsed.sequenceParameterSet,
            let sequence = sequences[sequenceID]
        else { return nil }
        let revision = [videos.revision, sequences.revision, pictures.revision, sequenceID]
        guard revision != formatRevision else { return nil }
        formatRevision = revision
        highestSubLayer = sequence.parsed.highestSubLayer
        let latest = HEVCParameterSets(
            video: videos[sequence.parsed.videoParameterSet],
            sequence: sequence,
            pictures: pictures.all { $0.sequenceParameterSet == sequenceID }
        ).format
        guard latest != format else { return nil }
        format = latest
        return latest
    }
}

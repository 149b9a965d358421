/// The head of a slice header of H.264: enough to tell pictures apart.
///
/// Source: ITU-T H.264 7.3.3.
struct H264SliceHeader: Sendable {
    /// The head fits in this many bytes of the NAL unit.
    static let byteLimit = 48

    let isReference: Bool
    let isIDR: Bool
    let isIntra: Bool
    let pictureParameterSet: Int
    let sequenceParameterSet: Int
    let frameNumber: UInt32
    /// `nil` for a frame.
    private(set) var isBottomField: Bool?
    private(set) var idrPictureID: UInt32?
    private(set) var pictureOrder: (Int, Int) = (0, 0)

    /// Reads from the NAL unit header on.
    init(
        _ reader: inout BitReader,
        sequences: borrowing ParameterSetTable<H264SequenceParameterSet>,
        pictures: borrowing ParameterSetTable<H264PictureParameterSet>
    ) throws(BitstreamError) {
        let unitHeader = try reader.byte()
        isReference = unitHeader & 0x60 != 0
        isIDR = unitHeader & 0x1F == 5
        // first_mb_in_slice
        _ = try reader.ue()
        let sliceType = try reader.ue(max: 9)
        isIntra = sliceType % 5 == 2 || sliceType % 5 == 4
        pictureParameterSet = try reader.ue(max: 255)
        guard let picture = pictures[pictureParameterSet]?.parsed,
            let sequence = sequences[picture.sequenceParameterSet]?.parsed
        else { throw .invalid }
        sequenceParameterSet = picture.sequenceParameterSet
        if sequence.hasSeparateColourPlanes { try reader.skip(2) }
        frameNumber = try reader.bits(sequence.frameNumberBits)
        if !sequence.isFrameOnly, try reader.flag() { isBottomField = try reader.flag() }
        if isIDR { idrPictureID = try reader.ue() }
        let hasBottomDelta = picture.hasBottomFieldPictureOrder && isBottomField == nil
        switch sequence.pictureOrder {
        case .leastSignificantBits(let count):
            pictureOrder.0 = try reader.int(count)
            if hasBottomDelta { pictureOrder.1 = try reader.se() }
        case .deltas(alwaysZero: false):
            pictureOrder.0 = try reader.se()
            if hasBottomDelta { pictureOrder.1 = try reader.se() }
        case .deltas, .decodingOrder:
            break
        }
    }

    /// Whether this slice is the first of another primary coded picture.
    ///
    /// Source: ITU-T H.264 7.4.1.2.4.
    func beginsPicture(after last: H264SliceHeader) -> Bool {
        frameNumber != last.frameNumber
            || pictureParameterSet != last.pictureParameterSet
            || isBottomField != last.isBottomField
            || isReference != last.isReference
            || isIDR != last.isIDR
            || idrPictureID != last.idrPictureID
            || pictureOrder != last.pictureOrder
    }

    /// Whether this slice is of the field that makes a frame with the field `first`.
    func completesFrame(begunBy first: H264SliceHeader) -> Bool {
        guard let isBottomField, let firstIsBottom = first.isBottomField else { return false }
        return isBottomField != firstIsBottom && frameNumber == first.frameNumber
            && (!isIDR || first.isIDR)
    }
}

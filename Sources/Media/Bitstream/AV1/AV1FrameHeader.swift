/// The head of a frame header of AV1: whether the frame stays when it has been shown.
///
/// Source: AV1 Bitstream & Decoding Process Specification, 5.9.2.
struct AV1FrameHeader: Sendable {
    /// The head fits in this many bytes.
    static let byteLimit = 16

    private enum Kind {
        static let key = 0
        static let intraOnly = 2
        static let switching = 3
    }

    /// The slots of the decoder that the frame is put into; 0 for a frame that no other can refer to.
    let refreshedSlots: UInt8

    /// Reads the payload of a frame header OBU or of a frame OBU, without its header.
    ///
    /// Throws `invalid` for a frame that is shown a second time, and in sequences with a decoder model
    /// or of a single picture: what those carry is not read.
    init(_ payload: Span<UInt8>, in sequence: AV1SequenceHeader) throws(BitstreamError) {
        let fields = sequence.frameFields
        guard !sequence.isReduced, !fields.hasDecoderModel else { throw .invalid }
        var reader = BitReader(payload.extracting(first: min(Self.byteLimit, payload.count)))
        // show_existing_frame
        guard try !reader.flag() else { throw .invalid }
        let kind = try reader.int(2)
        let isShown = try reader.flag()
        // showable_frame
        if !isShown { try reader.skip(1) }
        let refreshesAll = kind == Kind.switching || (kind == Kind.key && isShown)
        let isErrorResilient = refreshesAll ? true : try reader.flag()
        // disable_cdf_update
        try reader.skip(1)
        if try Self.read(fields.screenContentTools, &reader) {
            _ = try Self.read(fields.integerMotionVectors, &reader)
        }
        try reader.skip(fields.frameIDBits)
        // frame_size_override_flag
        if kind != Kind.switching { try reader.skip(1) }
        try reader.skip(fields.orderHintBits)
        let isIntra = kind == Kind.key || kind == Kind.intraOnly
        // primary_ref_frame
        if !isIntra, !isErrorResilient { try reader.skip(3) }
        refreshedSlots = refreshesAll ? .max : try reader.byte()
    }

    private static func read(
        _ choice: AV1SequenceHeader.Choice,
        _ reader: inout BitReader
    ) throws(BitstreamError) -> Bool {
        switch choice {
        case .byFrame: try reader.flag()
        case .always(let value): value
        }
    }
}

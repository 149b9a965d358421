/// The boxes before each codestream where JPEG XS comes as picture segments.
///
/// Shape: boxes of a length (32 bits) and a type: `jpvs`, which holds `jpvi` (brat, frat: 32 bits
///        each) and others; `colr` (method, precedence, approximation: 8 bits each; colour primaries,
///        transfer, matrix: 16 bits each; full range: 1 bit).
/// Source: RFC 9134, 3.4 (picture segments); ISO/IEC 21122-3 for the boxes.
struct JPEGXSPictureBoxes: Sendable {
    private static let videoSupport: UInt32 = 0x6A70_7673
    private static let videoInformation: UInt32 = 0x6A70_7669
    private static let colourSpecification: UInt32 = 0x636F_6C72
    /// Two boxes, one of which holds others, are what there is.
    private static let boxLimit = 16

    /// Where the codestream begins; 0 when there are no boxes.
    private(set) var byteCount = 0
    private(set) var frame: JPEGXSFrameRate?
    private(set) var colour: VideoFormat.Colour?

    init(_ bytes: Span<UInt8>) {
        for _ in 0..<Self.boxLimit {
            guard let box = Box(bytes, at: byteCount) else { return }
            switch box.type {
            case Self.videoSupport:
                readVideoSupport(bytes, in: box.body)
            case Self.colourSpecification:
                colour = try? Self.readColour(bytes.extracting(box.body))
            default:
                break
            }
            byteCount = box.body.upperBound
        }
    }

    private mutating func readVideoSupport(_ bytes: Span<UInt8>, in range: Range<Int>) {
        let inner = bytes.extracting(first: range.upperBound)
        var position = range.lowerBound
        for _ in 0..<Self.boxLimit {
            guard let box = Box(inner, at: position) else { return }
            if box.type == Self.videoInformation {
                var reader = BitReader(inner.extracting(box.body))
                // brat
                if (try? reader.skip(32)) != nil { frame = try? JPEGXSFrameRate(&reader) }
            }
            position = box.body.upperBound
        }
    }

    private static func readColour(
        _ box: Span<UInt8>
    ) throws(BitstreamError) -> VideoFormat.Colour? {
        var reader = BitReader(box)
        // Method 5: code points.
        guard try reader.byte() == 5 else { return nil }
        try reader.skip(16)
        let (primaries, transfer, matrix) = (
            try reader.int(16), try reader.int(16), try reader.int(16)
        )
        guard primaries != 2 || transfer != 2 else { return nil }
        return VideoFormat.Colour(
            primaries: UInt8(clamping: primaries),
            transfer: UInt8(clamping: transfer),
            matrix: UInt8(clamping: matrix),
            isFullRange: try reader.flag()
        )
    }

    private struct Box {
        let type: UInt32
        let body: Range<Int>

        /// - Returns: `nil` when no whole box is there.
        init?(_ bytes: Span<UInt8>, at position: Int) {
            // No box here is long, and most pieces of a picture begin with a marker.
            guard bytes.count - position >= 8, bytes[position] == 0 else { return nil }
            var reader = BitReader(bytes.extracting(position..<(position + 8)))
            guard let size = try? reader.int(32), let type = try? reader.bits(32),
                (8...(bytes.count - position)).contains(size)
            else { return nil }
            self.type = type
            body = (position + 8)..<(position + size)
        }
    }
}

/// `frat`: the frame rate and how frames are scanned.
///
/// Shape: interlace mode (2 bits), denominator code (6), reserved (8), numerator (16).
/// Source: ISO/IEC 21122-3.
struct JPEGXSFrameRate: Sendable {
    let rate: Rational?
    let isInterlaced: Bool

    init(_ reader: inout BitReader) throws(BitstreamError) {
        isInterlaced = try reader.int(2) != 0
        let denominatorCode = try reader.int(6)
        try reader.skip(8)
        let numerator = UInt64(try reader.bits(16))
        rate =
            switch denominatorCode {
            case 1: Rational(frameRate: numerator, over: 1)
            case 2: Rational(frameRate: numerator * 1000, over: 1001)
            default: nil
            }
    }
}

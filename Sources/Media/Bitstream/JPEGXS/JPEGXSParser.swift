import NIOCore

/// Access units of JPEG XS: every picture stands alone.
///
/// The payload is the codestream, or the two codestreams of the fields of a frame; the elementary
/// stream header of the transport stream, or the boxes of a picture segment, are left out.
struct JPEGXSParser: VideoElementaryParser {
    private(set) var format: VideoFormat?
    private(set) var droppedUnits: UInt64 = 0

    var hasParameterSets: Bool { true }

    mutating func parse(_ bytes: Span<UInt8>) -> [VideoUnit] {
        let container = try? JPEGXSElementaryStreamHeader(bytes)
        let codestream = (container?.byteCount ?? 0)..<bytes.count
        let description = Description(frame: container?.frame, colour: container?.colour)
        return makeUnit(of: bytes, [codestream], description)
    }

    /// Each unit is a picture segment, or a piece of one that follows its head.
    mutating func parse(_ bytes: Span<UInt8>, units: [Range<Int>]) -> [VideoUnit] {
        var description = Description()
        var pieces: [Range<Int>] = []
        pieces.reserveCapacity(units.count)
        for unit in units {
            let boxes = JPEGXSPictureBoxes(bytes.extracting(unit))
            description.frame = description.frame ?? boxes.frame
            description.colour = description.colour ?? boxes.colour
            pieces.append((unit.lowerBound + boxes.byteCount)..<unit.upperBound)
        }
        return makeUnit(of: bytes, pieces, description)
    }

    /// What stands before the codestream.
    private struct Description {
        var frame: JPEGXSFrameRate?
        var colour: VideoFormat.Colour?
    }

    private mutating func makeUnit(
        of bytes: Span<UInt8>,
        _ pieces: [Range<Int>],
        _ description: Description
    ) -> [VideoUnit] {
        guard let first = pieces.first,
            let header = try? JPEGXSCodestreamHeader(bytes.extracting(first))
        else {
            droppedUnits &+= 1
            return []
        }
        let isInterlaced = description.frame?.isInterlaced ?? false
        let latest = VideoFormat(
            codec: .jpegXS,
            codecString: "jxsm",
            profile: header.profileName,
            level: header.levelName,
            width: header.width,
            height: isInterlaced ? header.height * 2 : header.height,
            frameRate: description.frame?.rate,
            bitDepth: header.bitDepth,
            chroma: header.chroma,
            colour: description.colour,
            isInterlaced: isInterlaced,
            reorderDepth: 0,
            decoderConfiguration: ByteBuffer()
        )
        let size = pieces.reduce(0) { $0 + $1.count }
        var payload = ByteBuffer(exactCapacity: size)
        for piece in pieces { payload.writeBytes(bytes.extracting(piece).bytes) }
        let unit = VideoUnit(
            payload: payload,
            randomAccess: .closed,
            isDisposable: true,
            newFormat: latest == format ? nil : latest
        )
        format = latest
        return [unit]
    }
}

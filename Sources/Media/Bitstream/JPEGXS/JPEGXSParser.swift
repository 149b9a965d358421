import NIOCore

/// Access units of JPEG XS: every picture stands alone.
///
/// The payload is the codestream, or the two codestreams of the fields of a frame; the elementary
/// stream header of the transport stream is left out.
struct JPEGXSParser: VideoElementaryParser {
    private(set) var format: VideoFormat?
    private(set) var droppedUnits: UInt64 = 0

    mutating func parse(_ bytes: Span<UInt8>) -> [VideoUnit] {
        let container = try? JPEGXSElementaryStreamHeader(bytes)
        let codestream = bytes.extracting(droppingFirst: container?.byteCount ?? 0)
        guard let header = try? JPEGXSCodestreamHeader(codestream) else {
            droppedUnits &+= 1
            return []
        }
        let isInterlaced = container?.isInterlaced ?? false
        let latest = VideoFormat(
            codec: .jpegXS,
            codecString: "jxsm",
            profile: header.profileName,
            level: header.levelName,
            width: header.width,
            height: isInterlaced ? header.height * 2 : header.height,
            frameRate: container?.frameRate,
            bitDepth: header.bitDepth,
            chroma: header.chroma,
            colour: container?.colour,
            isInterlaced: isInterlaced,
            reorderDepth: 0,
            decoderConfiguration: ByteBuffer()
        )
        var payload = ByteBufferAllocator().buffer(capacity: codestream.count)
        payload.writeBytes(codestream.bytes)
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

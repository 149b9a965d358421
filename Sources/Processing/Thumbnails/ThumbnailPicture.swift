import CFFmpeg
package import Media
import NIOCore
import Synchronization

/// A keyframe, decoded and made small: what thumbnails of either format are encoded from.
///
/// Shape:   as it is seen, on square samples: as wide as asked for and no wider than the source, no higher than twice
///          what was asked for, sizes even.
/// Bound:   while it is made, one decoded picture of at most 36 megapixels; then the small one.
/// Blocks:  for tens of milliseconds; to be made on a thread of its own (`WorkerThread`).
/// Threads: any.
package final class ThumbnailPicture: Sendable {
    package let width: Int
    package let height: Int
    /// When the keyframe had reached this machine.
    package let takenAt: WallTime
    /// In the layout of JPEG.
    private let frame: Mutex<PictureFrame>

    /// As JFIF has it: BT.601, full range.
    private static let colour = PictureColour(matrix: Int32(SWS_CS_ITU601), isFullRange: true)

    /// Throws `undecodable` for what is damaged, so far as its decoder can tell.
    package init(of keyframe: LiveStream.Keyframe, width: Int) throws(ThumbnailError) {
        do throws(FFmpegError) {
            let picture = try Self.small(
                try Self.decode(keyframe),
                of: keyframe.format,
                width: width
            )
            self.width = picture.width
            self.height = picture.height
            takenAt = keyframe.unit.arrival
            frame = Mutex(picture)
        } catch {
            throw .undecodable("\(error)")
        }
    }

    package func encoded(as format: Thumbnail.Format) throws(ThumbnailError) -> Thumbnail {
        let bytes: ByteBuffer
        do throws(FFmpegError) {
            bytes = try frame.withLock { picture throws(FFmpegError) in
                switch format {
                case .jpeg: try StillEncoder.encode(picture, as: format)
                case .webP: try StillEncoder.encode(try Self.limited(picture), as: format)
                }
            }
        } catch {
            throw .undecodable("\(error)")
        }
        return Thumbnail(
            format: format,
            width: width,
            height: height,
            bytes: bytes,
            takenAt: takenAt
        )
    }

    private static func decode(
        _ keyframe: LiveStream.Keyframe
    ) throws(FFmpegError) -> PictureFrame {
        let decoder = try PictureDecoder(
            .video(keyframe.format.codec),
            configuration: keyframe.format.decoderConfiguration,
            showsUnrecovered: true
        )
        var decoded: PictureFrame?
        for payload in [keyframe.unit.payload, nil] where decoded == nil {
            try decoder.decode(payload, at: 0) { picture, _ throws(FFmpegError) in
                if decoded == nil { decoded = picture }
            }
        }
        guard let decoded, !decoded.isDamaged else {
            throw FFmpegError(operation: "decoding", code: mirror_error_invalid_data)
        }
        return decoded
    }

    private static func small(
        _ picture: PictureFrame,
        of format: VideoFormat,
        width: Int
    ) throws(FFmpegError) -> PictureFrame {
        let source = (width: max(1, picture.width), height: max(1, picture.height))
        // Never wider than the source is seen.
        let seen = Letterbox(
            inner: source,
            innerSample: format.sampleAspectRatio,
            outer: (width, source.height),
            outerSample: nil
        ).width
        let limit = max(2, seen / 2 * 2)
        let box = Letterbox(
            inner: source,
            innerSample: format.sampleAspectRatio,
            outer: (limit, width * 2),
            outerSample: nil
        )
        // By way of red, green and blue: the source's colours may stand for others than JPEG's.
        let colours = try PictureScaler(
            from: picture.kind,
            to: (box.width, box.height, AV_PIX_FMT_RGB48LE),
            colours: (PictureColour(format.colour, height: picture.height), .rgb)
        ).scale(picture)
        if let mapping = ToneMapping(format.dynamicRange) {
            for row in 0..<colours.height {
                _ = colours.withRow(row, samples: colours.width * 3) { mapping.map(&$0) }
            }
        }
        return try PictureScaler(
            from: colours.kind,
            to: (box.width, box.height, AV_PIX_FMT_YUVJ420P),
            colours: (.rgb, colour)
        ).scale(colours)
    }

    /// As WebP has it: BT.601, of limited range.
    private static func limited(_ picture: PictureFrame) throws(FFmpegError) -> PictureFrame {
        try PictureScaler(
            from: picture.kind,
            to: (picture.width, picture.height, AV_PIX_FMT_YUV420P),
            colours: (colour, PictureColour(matrix: colour.matrix, isFullRange: false))
        ).scale(picture)
    }
}

import CFFmpeg
import Media
import NIOCore

/// Encodes a picture or a clip once, so that it can go on in place of a stream's picture.
///
/// In:    a picture of any size, or a clip of any size and frame rate; its sound is left out.
/// Out:   closed groups in the stream's codec, profile, size, sample format, colours and frame rate; the
///        picture as large as it fits, in the middle, the rest black.
/// Bound: pictures of 36 megapixels, `clipLimit` of a clip, `byteLimit` of what comes out; one thread,
///        about 200 MB while it works for 1080p. All but the result is freed at the end.
/// Blocks for seconds: to be called on a thread of its own (`WorkerThread`).
package enum SlateEncoder {
    /// How much of a clip is shown before it begins again.
    package static let clipLimit = Duration.seconds(10)
    /// What a loop may take while it waits in memory.
    package static let byteLimit = 32 << 20

    package static func encode(
        _ picture: SlatePicture,
        as format: SlateFormat
    ) throws(SlateError) -> SlateLoop {
        let settings = try PictureEncoder.Settings(format)
        var reel = try Reel(settings, format)
        switch picture {
        case .png(let bytes): try reel.run(still: bytes, .png)
        case .jpeg(let bytes): try reel.run(still: bytes, .jpeg)
        case .clip(let video, let units): try reel.run(clip: video, units)
        }
        return try reel.finish()
    }
}

/// One encoding under way.
private struct Reel {
    private let format: SlateFormat
    private let encoder: PictureEncoder
    private let layout: AVPixelFormat
    private var parser: VideoBitstreamParser
    private var pictures: [SlateLoop.Picture] = []
    private var byteCount = 0
    /// Given to the encoder so far.
    private var count = 0

    init(_ settings: PictureEncoder.Settings, _ format: SlateFormat) throws(SlateError) {
        self.format = format
        layout = settings.layout
        parser = VideoBitstreamParser(codec: format.video.codec)
        do throws(FFmpegError) {
            encoder = try PictureEncoder(settings)
        } catch {
            throw SlateError(.encoder, "\(error)")
        }
    }

    // MARK: In

    mutating func run(
        still bytes: ByteBuffer,
        _ codec: PictureDecoder.Codec
    ) throws(SlateError) {
        let laid: PictureFrame
        do throws(FFmpegError) {
            let canvas = SlateCanvas(format.video, layout: layout, isStill: true)
            let decoder = try PictureDecoder(codec)
            var shown: PictureFrame?
            for payload in [bytes, nil] where shown == nil {
                try decoder.decode(payload, at: 0) { picture, _ throws(FFmpegError) in
                    if shown == nil { shown = try canvas.lay(picture) }
                }
            }
            laid = try FFmpegError.unwrap(shown, "the file holds no picture")
        } catch {
            throw SlateError(.picture, "\(error); a picture has at most 36 megapixels")
        }
        while count < format.groupLength { try append(laid) }
    }

    /// Each frame shows what the clip shows at its time, from the clip's first picture on.
    mutating func run(clip video: VideoFormat, _ units: [AccessUnit]) throws(SlateError) {
        let limit = SlateEncoder.clipLimit / .seconds(1) * format.frameRate.value
        let canvas = SlateCanvas(format.video, layout: layout, isStill: false)
        var (latest, start, end): (PictureFrame?, Int64, Int64) = (nil, 0, 0)
        let decoder: PictureDecoder
        do throws(FFmpegError) {
            decoder = try PictureDecoder(
                .video(video.codec),
                configuration: video.decoderConfiguration
            )
        } catch {
            throw SlateError(.picture, "\(error)")
        }
        var damaged: FFmpegError?
        for unit in units.map(Optional.init) + [nil] where Double(count) < limit {
            var decoded: [(PictureFrame, Int64)] = []
            do throws(FFmpegError) {
                let time = unit?.pts.converted(to: MediaTime.mpegTimescale).ticks ?? 0
                try decoder.decode(unit?.payload, at: time) { decoded.append(($0, $1)) }
            } catch {
                damaged = error
            }
            for (picture, time) in decoded {
                if latest == nil { start = time }
                end = max(end, time)
                try show(latest, until: time &- start, limit)
                latest = try laid(picture, on: canvas)
            }
        }
        guard let latest else {
            throw SlateError(
                .picture,
                "no picture of the clip can be decoded: \(damaged?.description ?? "it is empty")"
            )
        }
        try show(latest, until: end &- start &+ 1, limit)
    }

    /// Repeats a picture on every frame that begins before a time of the clip.
    private mutating func show(
        _ picture: PictureFrame?,
        until time: Int64,
        _ limit: Double
    ) throws(SlateError) {
        guard let picture else { return }
        let ticks = Double(MediaTime.mpegTimescale)
        while Double(count) / format.frameRate.value * ticks < Double(time), Double(count) < limit {
            try append(picture)
        }
    }

    private func laid(
        _ picture: PictureFrame,
        on canvas: SlateCanvas
    ) throws(SlateError) -> PictureFrame {
        do throws(FFmpegError) {
            return try canvas.lay(picture)
        } catch {
            throw SlateError(.picture, "\(error)")
        }
    }

    // MARK: Out

    private mutating func append(_ picture: PictureFrame?) throws(SlateError) {
        let coded: [ByteBuffer]
        do throws(FFmpegError) {
            coded = try encoder.encode(picture, index: count)
        } catch {
            throw SlateError(.encoder, "\(error)")
        }
        if picture != nil { count += 1 }
        for bytes in coded {
            let units = bytes.withUnsafeReadableBytes { bytes in
                parser.parse(bytes.assumingMemoryBound(to: UInt8.self).span)
            }
            for unit in units {
                let payload = inBand(unit)
                byteCount += payload.readableBytes
                pictures.append(
                    SlateLoop.Picture(
                        payload: payload,
                        randomAccess: unit.randomAccess,
                        isDisposable: unit.isDisposable
                    )
                )
            }
        }
        guard byteCount <= SlateEncoder.byteLimit else {
            throw SlateError(
                .encoder,
                "it comes to more than \(SlateEncoder.byteLimit >> 20) MiB: take a shorter clip"
            )
        }
    }

    /// A keyframe of H.264 with its parameter sets in front, though the track's header has them.
    ///
    /// Players made of FFmpeg read no second header (EXT-X-MAP), and a decoder that goes on without it
    /// would take the stream's sets for the slate's. With numbers of their own (`sps-id`), those of
    /// the stream stay valid for when it is back.
    private func inBand(_ unit: VideoUnit) -> ByteBuffer {
        guard let format = parser.format, format.codec == .h264, unit.randomAccess != .none else {
            return unit.payload
        }
        var record = format.decoderConfiguration
        var payload = ByteBuffer()
        record.moveReaderIndex(forwardBy: min(5, record.readableBytes))
        // The sequence's, then the picture's.
        for mask: UInt8 in [0x1F, 0xFF] {
            guard let count = record.readInteger(as: UInt8.self) else { return unit.payload }
            for _ in 0..<(count & mask) {
                guard let set = record.readLengthPrefixedSlice(as: UInt16.self) else {
                    return unit.payload
                }
                payload.writeInteger(UInt32(set.readableBytes))
                payload.writeImmutableBuffer(set)
            }
        }
        payload.writeImmutableBuffer(unit.payload)
        return payload
    }

    /// What came out, once it is sure that a player of the stream can go on with it.
    mutating func finish() throws(SlateError) -> SlateLoop {
        try append(nil)
        guard let made = parser.format, pictures.count == count,
            pictures.first?.randomAccess == .closed
        else {
            throw SlateError(.encoder, "\(pictures.count) of \(count) pictures came out")
        }
        guard made.width == format.video.width, made.height == format.video.height,
            made.bitDepth == format.video.bitDepth, made.chroma == format.video.chroma
        else {
            throw SlateError(
                .encoder,
                "\(made.width)x\(made.height) came out for \(format.video.width)x\(format.video.height)"
            )
        }
        return SlateLoop(format: made, frameRate: format.frameRate, pictures: pictures)
    }
}

package import Media
package import NIOCore

/// What decodes, scales and encodes the pictures of ladders: the CPU, or a card.
///
/// Pictures stay in its memory from the decoder to the encoder: what its tools give, only its tools take.
/// Threads: any may ask for tools; each tool is of one thread. Errors say whose fault it is (`DeviceFault`).
package protocol TranscodingDevice: AnyObject, Sendable {
    /// `cpu`, `nvidia-0`: unique, and a metric label.
    var name: String { get }
    /// What its maker calls it.
    var model: String { get }

    func makeDecoder(of format: VideoFormat) throws(FFmpegError) -> any PictureDecoding

    /// A scaler for pictures like `picture`, which come from `source`; `nil` where none is needed.
    func makeScaler(
        from picture: PictureFrame,
        of source: VideoFormat?,
        to rung: LadderRung
    ) throws(FFmpegError) -> (any PictureScaling)?

    /// An encoder for pictures like `picture`.
    func makeEncoder(
        _ terms: EncodingTerms,
        for picture: PictureFrame
    ) throws(FFmpegError) -> any PictureEncoding
}

/// A decoder of one bitstream, wherever it works.
package protocol PictureDecoding {
    /// As `PictureDecoder.decode`.
    func decode(
        _ payload: ByteBuffer?,
        at time: Int64,
        _ body: (PictureFrame, Int64) throws(FFmpegError) -> Void
    ) throws(FFmpegError)

    /// Pictures a second, as the bitstream says; 0 where it does not.
    var frameRate: Double { get }

    /// Forgets what came before: the next picture is a keyframe.
    func restart()
}

/// A scaler for pictures of one kind.
package protocol PictureScaling {
    /// A new picture.
    func scale(_ source: PictureFrame) throws(FFmpegError) -> PictureFrame
}

/// An encoder that gives pictures in the order in which it takes them.
package protocol PictureEncoding {
    /// It works on the device that made it, not on the CPU in its place.
    var isOnDevice: Bool { get }

    /// As `PictureEncoder.encode`.
    func encode(
        _ picture: PictureFrame?,
        index: Int,
        asKeyframe: Bool
    ) throws(FFmpegError) -> [ByteBuffer]
}

extension PictureEncoding {
    package var isOnDevice: Bool { true }
}

/// What the pictures of a rung are encoded as.
package struct EncodingTerms: Sendable, Equatable {
    package var codec: VideoFormat.Codec
    package var width: Int
    package var height: Int
    package var bitsPerSecond: Int
    package var preset: TranscodingPreset
    package var frameRate: Rational
    package var sampleAspectRatio: Rational?
    package var colour: VideoFormat.Colour?
    /// A time code is to have a place in each picture.
    package var hasTimecode = false
    /// So many pictures may be held back.
    package var lookahead = 0
}

import NIOCore

/// The part of `AudioBitstreamParser` that differs by codec.
protocol AudioFrameParser: Sendable {
    /// Looks for a frame that begins with the first of these bytes.
    func scan(_ bytes: Span<UInt8>) -> AudioFrameScan

    /// Takes a frame apart that `scan` has found.
    ///
    /// - Returns: `nil` for one that cannot be decoded, or cannot be carried.
    mutating func parse(_ frame: Span<UInt8>) -> AudioFrame?
}

/// What stands at one place of an audio elementary stream.
enum AudioFrameScan: Equatable {
    /// No frame begins here.
    case invalid
    /// A frame may begin here; more bytes will tell.
    case incomplete
    /// A frame of this many bytes, at least one.
    case frame(Int)
}

/// A frame without its transport framing.
struct AudioFrame: Sendable {
    var payload: ByteBuffer
    var format: AudioFormat
}

extension ByteBuffer {
    /// A copy of `bytes` that nothing else holds.
    init(copying bytes: Span<UInt8>) {
        self.init(exactCapacity: bytes.count)
        writeBytes(bytes.bytes)
    }
}

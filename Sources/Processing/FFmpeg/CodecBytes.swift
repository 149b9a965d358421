import CFFmpeg
import Media
import NIOCore

extension ByteBuffer {
    /// A copy of what an encoder put into a packet.
    init(_ packet: AVPacket) {
        let bytes = UnsafeRawBufferPointer(start: packet.data, count: Int(packet.size))
        self.init(exactCapacity: bytes.count)
        writeBytes(bytes)
    }

    /// Writes the readable bytes to memory that has room for them.
    fileprivate func copy(to memory: UnsafeMutablePointer<UInt8>) {
        withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            memory.update(from: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        }
    }
}

extension UnsafeMutablePointer<AVPacket> {
    /// Copies: decoders read behind the end, and want zeros there.
    func fill(with payload: ByteBuffer) throws(FFmpegError) {
        let count = Int32(clamping: payload.readableBytes)
        try FFmpegError.check(av_new_packet(self, count), "av_new_packet")
        payload.copy(to: pointee.data)
    }
}

extension UnsafeMutablePointer<AVCodecContext> {
    /// A copy of what a decoder is to know before the first packet, which is freed with the context.
    func configure(with configuration: ByteBuffer) throws(FFmpegError) {
        let count = configuration.readableBytes
        guard count > 0 else { return }
        let copy = try FFmpegError.unwrap(
            av_mallocz(count + Int(AV_INPUT_BUFFER_PADDING_SIZE)),
            "av_mallocz"
        ).assumingMemoryBound(to: UInt8.self)
        configuration.copy(to: copy)
        pointee.extradata = copy
        pointee.extradata_size = Int32(clamping: count)
    }
}

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
}

import NIOCore

/// Takes datagrams from a socket to the receiver of its event loop.
final class RTPSocketHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// What comes to a socket.
    enum Role {
        /// RTP or RTCP: every packet says which. With the port, where a session description names it.
        case media(port: UInt16?)
        /// Forward error correction, of columns or of rows: every packet says which.
        case correction
    }

    /// Jumbo frames and more; a longer datagram arrives cut off, and is dropped.
    static let maxDatagramBytes = 16 << 10
    /// Of one read of the socket.
    static let datagramsPerRead = 32

    private let receiver: RTPReceiver
    private let role: Role

    init(receiver: RTPReceiver, role: Role) {
        self.receiver = receiver
        self.role = role
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch role {
        case .media(let port):
            receiver.receive(unwrapInboundIn(data), to: port, from: context.channel)
        case .correction: receiver.receive(correction: unwrapInboundIn(data))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        receiver.readEnded()
    }

    /// A peer that is gone (ICMP) is no reason to close the port to all others.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

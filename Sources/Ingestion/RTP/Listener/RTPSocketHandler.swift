import NIOCore

/// Takes datagrams from a socket to the receiver of its event loop.
final class RTPSocketHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// Jumbo frames and more; a longer datagram arrives cut off, and is dropped.
    static let maxDatagramBytes = 16 << 10
    /// Of one read of the socket.
    static let datagramsPerRead = 32

    private let receiver: RTPReceiver

    init(receiver: RTPReceiver) {
        self.receiver = receiver
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receiver.receive(unwrapInboundIn(data), from: context.channel)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        receiver.readEnded()
    }

    /// A peer that is gone (ICMP) is no reason to close the port to all others.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

import NIOCore

/// Takes datagrams from a socket to the endpoint of its event loop.
final class QUICSocketHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// A longer datagram arrives cut off, and is dropped.
    static let maxDatagramBytes = 2048
    /// Of one read of the socket.
    static let datagramsPerRead = 32

    private let endpoint: QUICEndpoint
    private let socket: QUICSocket

    init(endpoint: QUICEndpoint, socket: QUICSocket) {
        self.endpoint = endpoint
        self.socket = socket
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        endpoint.readBegan()
        endpoint.receive(unwrapInboundIn(data), on: socket)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endpoint.readEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        endpoint.writabilityChanged()
    }

    /// A peer that is gone (ICMP) is no reason to close the door to all others.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

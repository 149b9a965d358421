import NIOCore

/// Who a request is from, whichever door it came in by.
struct Viewer: Sendable {
    /// The connection (HTTP/1.1), the stream of a connection (HTTP/2), or the socket that connections
    /// share (HTTP/3).
    let channel: any Channel
    /// Where the peer is; a datagram channel does not know.
    let address: SocketAddress?
    /// Tells connections apart.
    let number: Int?
    let presence: ViewerPresence
    let transport: DistributionStatistics.Transport

    init(
        channel: any Channel,
        address: SocketAddress?,
        number: Int?,
        presence: ViewerPresence,
        transport: DistributionStatistics.Transport
    ) {
        self.channel = channel
        self.address = address
        self.number = number
        self.presence = presence
        self.transport = transport
    }

    /// At the end of a channel of the HTTP/1.1 or 2 door, on whose event loop this must be called.
    init(on channel: any Channel, transport: DistributionStatistics.Transport) {
        let handler = try? channel.pipeline.syncOperations.handler(type: ViewerPresenceHandler.self)
        self.init(
            channel: channel,
            address: channel.remoteAddress,
            number: channel.remoteAddress?.hashValue,
            // The handler is there for as long as the viewer is.
            presence: handler?.presence ?? .departed,
            transport: transport
        )
    }
}

extension SRTListener {
    package struct Configuration: Sendable {
        /// An address of this machine; `0.0.0.0` for all of IPv4, `::` for IPv6 and IPv4.
        package var bindAddress = "0.0.0.0"
        /// UDP; 0 picks a free one.
        package var port = 30_000
        /// How long a packet may be missing before it is given up; the caller may ask for longer.
        package var latency: Duration = .milliseconds(120)
        /// What one publisher may send, in bits a second of payload; above it for five seconds it is
        /// cut off. Also what buffers are sized for. `nil` sets no limit.
        package var maxBandwidthBitsPerSecond: Int?
        /// Sockets that share the port, each with its threads; one carries about 25 streams of
        /// 50 Mbit/s on three quarters of a core.
        package var receivers = 2
        package var maxConnections = 100
        /// A publisher that is not heard of for so long is gone.
        package var peerIdleTimeout: Duration = .seconds(5)
        /// Rest between two looks at the sockets. Longer costs less CPU and delays media by half of
        /// it in the mean; zero never rests.
        package var drainInterval: Duration = .milliseconds(5)

        package init() {}
    }
}

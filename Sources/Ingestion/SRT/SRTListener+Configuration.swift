extension SRTListener {
    package struct Configuration: Sendable {
        /// An address of this machine; `0.0.0.0` for all of IPv4, `::` for IPv6 and IPv4.
        package var bindAddress = "0.0.0.0"
        /// UDP; 0 picks a free one.
        package var port = 30_000
        /// How long a packet may be missing before it is given up; the caller may ask for longer.
        package var latency: Duration = .milliseconds(120)
        /// What one publisher may send, in bits a second of payload; `nil` sets no limit.
        ///
        /// Above it for five seconds a publisher is cut off. Buffers are sized for it too.
        package var maxBandwidthBitsPerSecond: Int?
        /// Sockets that share the port, each with its threads; one carries about 25 streams of
        /// 50 Mbit/s on three quarters of a core, and each that idles wakes a hundred times a second.
        package var receivers = 1
        package var maxConnections = 100
        /// A publisher of which no media came for so long is gone, and its name is free.
        ///
        /// Short, so that an encoder that was killed finds its name free when it is back.
        package var peerIdleTimeout: Duration = .milliseconds(1500)
        /// Rest between two looks for packets that are due.
        ///
        /// A longer one costs less CPU and delays media by at most so much; zero never rests.
        package var drainInterval: Duration = .milliseconds(20)

        package init() {}
    }
}

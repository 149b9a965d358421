package import Media

extension SRTCaller {
    package struct Configuration: Sendable {
        /// The listener to pull from.
        package var url: SRTURL
        /// The name under which the stream is published here.
        package var stream: StreamName
        /// Used when the URL names none.
        package var latency: Duration = .milliseconds(120)
        /// As `SRTListener.Configuration.maxBandwidthBitsPerSecond`.
        package var maxBandwidthBitsPerSecond: Int?
        /// A listener of which no media came for so long is called again.
        package var peerIdleTimeout: Duration = .milliseconds(1500)
        /// The first wait before connecting again, at most; it doubles up to `reconnectMaximum`.
        package var reconnectMinimum: Duration = .seconds(1)
        package var reconnectMaximum: Duration = .seconds(30)
        /// As `SRTListener.Configuration.drainInterval`.
        package var drainInterval: Duration = .milliseconds(20)

        package init(url: SRTURL, stream: StreamName) {
            self.url = url
            self.stream = stream
        }
    }
}

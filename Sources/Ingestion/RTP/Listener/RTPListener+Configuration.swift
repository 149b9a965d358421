extension RTPListener {
    package struct Configuration: Sendable {
        /// An address of this machine; `0.0.0.0` for all of IPv4, `::` for IPv6 and IPv4.
        package var bindAddress = "::"
        /// The port that all sessions without one of their own share; 0 picks a free one.
        package var port = 5_004
        /// 0: the one after `port`; with port 0, any free one.
        package var rtcpPort = 0
        /// FEC of SMPTE ST 2022-1 is taken, two and four ports above `port`.
        package var takesCorrection = false
        /// Ports that session descriptions may have opened; `nil`: none, what they describe comes to
        /// `port`.
        package var describedPorts: ClosedRange<Int>?
        /// What the kernel is asked to hold for each port until it is read.
        package var receiveBufferBytes = 8 << 20
        package var maxSessions = 100
        package var maxSessionsPerAddress = 32
        /// The longest wait for a packet that is late.
        package var maxLatency: Duration = .milliseconds(200)
        package var idleTimeout: Duration = .seconds(5)
        package var acceptsUnannounced = true
        package var declarations: [RTPDeclaration] = []

        package init() {}
    }
}

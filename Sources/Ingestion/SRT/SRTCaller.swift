import Glibc
package import Logging
import Media
import ServiceLifecycle

/// Pulls one stream from an SRT listener elsewhere, and goes on trying while it is away.
///
/// Out:   media events into a `Publication` of the configured stream, as `SRTListener` does.
/// Bound: one connection; waits between attempts as `ReconnectBackoff` says.
///
/// Threads: all of it runs on one thread named `srt-caller`; only there are sockets closed.
package final class SRTCaller: Service {
    private let configuration: Configuration
    private let admission: any StreamAdmission
    private let stop = StopFlag()
    private let logger: Logger

    package init(
        configuration: Configuration,
        admission: any StreamAdmission,
        logger: Logger
    ) {
        self.configuration = configuration
        self.admission = admission
        var logger = logger
        logger[metadataKey: "stream"] = "\(configuration.stream)"
        logger[metadataKey: "url"] = "\(configuration.url)"
        self.logger = logger
    }

    /// Calls, and calls again, until graceful shutdown or cancellation.
    package func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await NamedThread.run("srt-caller") { [self] in callAgainAndAgain() }
        } onCancelOrGracefulShutdown: { [stop] in
            stop.raise()
        }
    }

    private func callAgainAndAgain() {
        var backoff = ReconnectBackoff(
            minimum: configuration.reconnectMinimum,
            maximum: configuration.reconnectMaximum
        )
        var random = SystemRandomNumberGenerator()
        while !stop.isRaised {
            let began = ContinuousClock.now
            do {
                try call()
            } catch {
                logger.warning("SRT pull failed", metadata: ["reason": "\(error)"])
            }
            backoff.connectionEnded(after: began.duration(to: .now))
            rest(backoff.next(using: &random))
        }
    }

    /// One connection, from its making to its end.
    private func call() throws {
        let url = configuration.url
        var request = PublishRequest(
            name: configuration.stream,
            sourceAddress: url.host,
            sourcePort: url.port,
            transport: .srtCaller
        )
        // Asked first: a listener elsewhere need not be bothered for a name that is taken.
        let terms = try admission.admit(request)
        let receiver = try makeReceiver()
        let outgoing = SRTOutgoingConnection(configuration: configuration)
        guard let (socket, peer) = try outgoing.make(stop: stop) else { return }
        request.sourceAddress = peer.address
        let revocation = StopFlag()
        let publication = try admission.publish(request) { revocation.raise() }
        let limits = [terms.maxBitrateBitsPerSecond, configuration.maxBandwidthBitsPerSecond]
        let connection = SRTConnection(
            socket: socket,
            publication: publication,
            revocation: revocation,
            limitBitsPerSecond: limits.compactMap(\.self).min(),
            idleTimeout: configuration.peerIdleTimeout
        )
        logger.info("SRT pull connected", metadata: ["peer": "\(peer)"])
        receiver.add(connection)
        while !receiver.isEmpty, !stop.isRaised { receiver.turn() }
        receiver.endAll(.shutdown)
    }

    private func makeReceiver() throws(SRTError) -> SRTReceiver {
        try SRTReceiver(
            capacity: 1,
            drainInterval: configuration.drainInterval
        ) { [logger] connection, ending in
            logger.info(
                "SRT pull ended",
                metadata: [
                    "reason": "\(ending.rawValue)",
                    "received_bytes": "\(connection.receivedBytes)",
                ]
            )
        }
    }

    /// Waits, but not past a stop.
    private func rest(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while !stop.isRaised, ContinuousClock.now < end {
            NamedThread.rest(.milliseconds(50))
        }
    }
}

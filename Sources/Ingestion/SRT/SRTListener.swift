import CSRT
package import Logging
import Media
import ServiceLifecycle
import Synchronization

/// Takes publishers in over SRT: one UDP port, several receive threads, a stream for each caller.
///
/// In:    callers whose streamid names a stream (`SRTStreamID`), MPEG-TS in live mode, in clear or
///        encrypted (AES-128, -192, -256).
/// Out:   media events into the `Publication` that `StreamAdmission` gives; a disconnect ends it at
///        once, and what the latency buffer then still holds is dropped.
/// Bound: `maxConnections` publishers; for each, libsrt buffers as `SRTBufferSizes` says.
/// Refusals carry the reject codes of `PublishRefusal.srtRejectCode`; each is counted, and logged as
///        far as `LogThrottle` goes.
///
/// Threads: `run` serves each receiver on a thread named `srt-N`, which alone closes its sockets.
package final class SRTListener: Service {
    private enum State {
        case idle
        case listening([SRTListeningSocket], port: Int)
        case serving
    }

    private let configuration: Configuration
    private let accessControl: SRTAccessControl
    private let counters = SRTListenerCounters()
    private let stop = StopFlag()
    private let state = Mutex(State.idle)
    private let logger: Logger

    package init(
        configuration: Configuration,
        admission: any StreamAdmission,
        logger: Logger
    ) {
        self.configuration = configuration
        self.logger = logger
        accessControl = SRTAccessControl(
            admission: admission,
            maxConnections: configuration.maxConnections,
            counters: counters,
            stop: stop,
            logger: logger
        )
    }

    package var statistics: SRTListenerStatistics { counters.snapshot }

    /// Binds the port, listens, and gives the port.
    ///
    /// Callers are answered from here on and served once `run` runs. Called again before that, it
    /// gives the same port.
    package func start() throws(SRTError) -> Int {
        try state.withLock { state throws(SRTError) in
            switch state {
            case .listening(_, let port): return port
            case .idle, .serving: break
            }
            let (sockets, port) = try SRTListeningSocket.open(
                configuration: configuration,
                accessControl: accessControl
            )
            KernelBuffer.warn(
                of: sockets.map(\.kernelBufferBytes),
                wanted: Int(SRTBufferSizes.udpReceiveBufferBytes),
                logger: logger
            )
            state = .listening(sockets, port: port)
            return port
        }
    }

    /// Serves until graceful shutdown or cancellation, then ends every publication.
    package func run() async throws {
        _ = try start()
        let sockets = state.withLock { state in
            guard case .listening(let sockets, _) = state else { return [SRTListeningSocket]() }
            state = .serving
            return sockets
        }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await serve(sockets)
        } onCancelOrGracefulShutdown: { [stop] in
            stop.raise()
        }
    }

    private func serve(_ sockets: [SRTListeningSocket]) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for (index, listening) in sockets.enumerated() {
                group.addTask { [self] in
                    // The other threads would wait for ever for one that could not start.
                    defer { stop.raise() }
                    try await NamedThread.run("srt-\(index)") { [self] () throws(SRTError) in
                        try serve(listening)
                    }
                }
            }
        }
    }

    /// One thread's life.
    private func serve(_ listening: SRTListeningSocket) throws(SRTError) {
        let receiver = try SRTReceiver(
            capacity: min(configuration.maxConnections, 4096) + 1,
            drainInterval: configuration.drainInterval
        ) { [self] connection, ending in
            ended(connection, ending)
        }
        try receiver.watch(listening.socket)
        acceptAll(listening, into: receiver)
        while !stop.isRaised {
            receiver.turn { acceptAll(listening, into: receiver) }
            accessControl.sweep()
        }
        listening.socket.close()
        receiver.endAll(.shutdown)
    }

    private func acceptAll(_ listening: SRTListeningSocket, into receiver: SRTReceiver) {
        while let socket = listening.socket.accept() {
            guard let caller = accessControl.takeAdmitted(socket.id) else { continue }
            do throws(PublishRefusal) {
                try publish(caller, over: socket, of: listening, into: receiver)
            } catch {
                accessControl.refuse(error, caller.request)
            }
        }
    }

    private func publish(
        _ caller: SRTAccessControl.Admitted,
        over socket: SRTSocket,
        of listening: SRTListeningSocket,
        into receiver: SRTReceiver
    ) throws(PublishRefusal) {
        // The handshake enforces encryption; a library that did not must not go unnoticed.
        guard caller.terms.passphrase == nil || socket.isEncrypted else {
            throw .passphraseRequired
        }
        guard counters.connections < configuration.maxConnections else { throw .full }
        let revocation = StopFlag()
        let publication = try accessControl.admission.publish(caller.request) {
            revocation.raise()
        }
        let limits = [
            caller.terms.maxBitrateBitsPerSecond, configuration.maxBandwidthBitsPerSecond,
        ]
        let connection = SRTConnection(
            socket: socket,
            publication: publication,
            revocation: revocation,
            limitBitsPerSecond: limits.compactMap(\.self).min(),
            idleTimeout: configuration.peerIdleTimeout,
            kernelBufferBytes: listening.kernelBufferBytes
        )
        counters.connected()
        logger.info(
            "SRT publisher connected",
            metadata: [
                "stream": "\(caller.request.name)",
                "peer": "\(caller.request.source)",
                "encrypted": "\(socket.isEncrypted)",
            ]
        )
        receiver.add(connection)
    }

    private func ended(_ connection: SRTConnection, _ ending: SRTConnection.Ending) {
        counters.disconnected()
        let request = connection.publication.request
        if ending == .bitrateExceeded { accessControl.refuse(.bitrateExceeded, request) }
        logger.info(
            "SRT publisher disconnected",
            metadata: [
                "stream": "\(request.name)",
                "reason": "\(ending.rawValue)",
                "received_bytes": "\(connection.receivedBytes)",
            ]
        )
    }
}

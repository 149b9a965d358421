package import Logging
package import Media
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Takes contributions in over RTP, and transport streams over plain UDP.
///
/// In:    RTP and RTCP on one port for all, and on each port that a declaration has of its own.
/// Out:   media events into the `Publication` that `StreamAdmission` gives; a contribution ends with
///        its BYE, or when it is silent.
/// Bound: `maxSessions`; for senders that are not on air, `RTPSourceTable.Limits`.
///
/// Threads: an event loop a port, of threads of its own: viewers' loops have nothing to do with it.
package final class RTPListener: Service {
    /// A port that is open.
    package struct Opened: Sendable, Equatable {
        /// `rtp`, `rtcp`, `fec-columns`, `fec-rows`; those of a declaration with their numbers behind.
        package let service: String
        package let port: Int
    }

    /// What an operator said of one stream while the server runs.
    package struct Announcement: Sendable, Equatable {
        package let text: String
        package let description: SessionDescription

        package init(text: String, description: SessionDescription) {
            self.text = text
            self.description = description
        }
    }

    private struct Serving {
        let sockets: [RTPSockets]
        let described: RTPDescribedPorts
        let group: MultiThreadedEventLoopGroup
    }

    private enum State {
        case idle
        case open(Serving)
        case closed
    }

    private let configuration: Configuration
    private let access: RTPAccessControl
    private let state = Mutex(State.idle)
    private let announcements = Mutex<[StreamName: Announcement]>([:])
    /// The newest announcement; each waits for the one before.
    private let newest = Mutex<Task<Result<Void, RTPListenerError>, Never>?>(nil)
    private let logger: Logger

    package init(
        configuration: Configuration,
        admission: any StreamAdmission,
        logger: Logger
    ) {
        self.configuration = configuration
        self.logger = logger
        access = RTPAccessControl(
            admission: admission,
            maxSessions: configuration.maxSessions,
            logger: logger
        )
    }

    package var statistics: RTPListenerStatistics { access.counters.snapshot }

    /// Opens the ports; packets are taken from here on.
    package func start() async throws(RTPListenerError) -> [Opened] {
        let wanted = try wantedPorts()
        let group = MultiThreadedEventLoopGroup(
            numberOfThreads: min(wanted.count, System.coreCount)
        )
        var all: [RTPSockets] = []
        do throws(RTPListenerError) {
            for port in wanted {
                let sockets = try await RTPSockets.open(
                    port,
                    configuration: configuration,
                    access: access,
                    on: group.next()
                )
                all.append(sockets)
            }
        } catch {
            await close(all, group)
            throw error
        }
        KernelBuffer.warn(
            of: all.map(\.kernelBufferBytes),
            wanted: configuration.receiveBufferBytes,
            logger: logger
        )
        let serving = Serving(
            sockets: all,
            described: RTPDescribedPorts(
                beside: all[0],
                configuration: configuration,
                logger: logger
            ),
            group: group
        )
        do throws(RTPListenerError) {
            let announced = announcements.withLock { $0 }
            try await hold(declarations(with: announced, shared: all[0].port), on: serving)
        } catch {
            await close(serving.sockets, group)
            throw error
        }
        state.withLock { $0 = .open(serving) }
        return all.enumerated().flatMap { index, sockets in
            let suffix = index == 0 ? "" : "-\(sockets.port)"
            return [Opened(service: "rtp\(suffix)", port: sockets.port)]
                + (sockets.rtcpPort.map { [Opened(service: "rtcp\(suffix)", port: $0)] } ?? [])
                + zip(["fec-columns", "fec-rows"], sockets.correctionPorts).map {
                    Opened(service: "\($0)\(suffix)", port: $1)
                }
        }
    }

    /// Serves until graceful shutdown or cancellation, then ends every publication.
    package func run() async throws {
        if case .idle = state.withLock({ $0 }) { _ = try await start() }
        try? await gracefulShutdown()
        let serving = state.withLock { state -> Serving? in
            guard case .open(let serving) = state else { return nil }
            state = .closed
            return serving
        }
        guard let serving else { return }
        await serving.described.close()
        await close(serving.sockets, serving.group)
    }

    private func close(_ all: [RTPSockets], _ group: MultiThreadedEventLoopGroup) async {
        for sockets in all { await sockets.close() }
        try? await group.shutdownGracefully()
    }

    /// The shared port first, then those that declarations have of their own.
    private func wantedPorts() throws(RTPListenerError) -> [RTPSockets.Wanted] {
        var own: [Int: [RTPDeclaration]] = [:]
        for declaration in configuration.declarations {
            if let port = declaration.port { own[port, default: []].append(declaration) }
        }
        let shared = RTPSockets.Wanted(
            port: configuration.port,
            rtcpPort: configuration.rtcpPort,
            hasCorrection: configuration.takesCorrection
                || configuration.declarations.contains { $0.port == nil && $0.hasCorrection },
            declarations: configuration.declarations.filter { $0.port == nil },
            key: "ingestion.rtp.port",
            rtcpKey: "ingestion.rtp.rtcp_port"
        )
        try checkConflicts(declarations(with: [:], shared: configuration.port))
        return [shared]
            + own.sorted { $0.key < $1.key }.map { port, declarations in
                let isPlain = declarations.contains { $0.payload == .mpegts }
                return RTPSockets.Wanted(
                    port: port,
                    rtcpPort: isPlain ? nil : declarations.compactMap(\.rtcpPort).first ?? 0,
                    hasCorrection: declarations.contains(where: \.hasCorrection),
                    declarations: declarations,
                    memberships: declarations.flatMap { MulticastMembership.all(of: $0, at: nil) },
                    key: "port in ingestion.rtp.sessions",
                    rtcpKey: "rtcp_port in ingestion.rtp.sessions"
                )
            }
    }

    private func checkConflicts(_ declarations: [RTPDeclaration]) throws(RTPListenerError) {
        for (index, declaration) in declarations.enumerated() {
            for other in declarations[..<index] {
                guard let conflict = declaration.conflict(with: other) else { continue }
                throw RTPListenerError(
                    code: .conflict,
                    operation: "declaring RTP sessions",
                    reason: "\(other.stream) and \(declaration.stream) \(conflict)",
                    cure: "tell them apart by port, source or ssrc, or by a=ssrc in their SDP"
                )
            }
        }
    }
}

// MARK: Announcements

extension RTPListener {
    /// Streams that may be announced at one time.
    private static let announcementLimit = 1_000

    /// The SDP that an operator gave for a stream since the start.
    package func announcement(of stream: StreamName) -> Announcement? {
        announcements.withLock { $0[stream] }
    }

    /// The declaration of a stream in the configuration.
    package func declaration(of stream: StreamName) -> RTPDeclaration? {
        configuration.declarations.first { $0.stream == stream }
    }

    /// Has the SDP hold for a stream from now on, in place of what the configuration says; `nil` takes
    /// it back.
    ///
    /// Contributions to which it applies begin anew with their next packet. Throws when its packets
    /// could not be told from those of another stream, or a port that it names cannot be opened; then
    /// all is as before.
    package func announce(
        _ announcement: Announcement?,
        for stream: StreamName
    ) async throws(RTPListenerError) {
        let work = newest.withLock { newest in
            let task = Task { [before = newest] in
                _ = await before?.value
                return await self.apply(announcement, for: stream)
            }
            newest = task
            return task
        }
        try await work.value.get()
    }

    /// `announce`, when no other is under way.
    private func apply(
        _ announcement: Announcement?,
        for stream: StreamName
    ) async -> Result<Void, RTPListenerError> {
        let serving = state.withLock { state in
            if case .open(let serving) = state { serving } else { Serving?.none }
        }
        var changed = announcements.withLock { $0 }
        changed[stream] = announcement
        let shared = serving?.sockets.first?.port ?? configuration.port
        let all = declarations(with: changed, shared: shared)
        do throws(RTPListenerError) {
            try checkConflicts(all)
            guard changed.count <= Self.announcementLimit else {
                throw RTPListenerError(
                    code: .conflict,
                    operation: "announcing \(stream)",
                    reason: "\(Self.announcementLimit) streams are announced",
                    cure: "delete one"
                )
            }
            if let serving { try await hold(all, on: serving) }
        } catch {
            return .failure(error)
        }
        announcements.withLock { $0 = changed }
        return .success(())
    }

    /// Has the ports that these declarations name be open, and their packets be told by them.
    private func hold(
        _ all: [RTPDeclaration],
        on serving: Serving
    ) async throws(RTPListenerError) {
        try await serving.described.change(to: all.filter { $0.port == nil }) {
            for (index, sockets) in serving.sockets.enumerated() {
                let port = index == 0 ? nil : Optional(sockets.port)
                let own = all.filter { $0.port == port }
                let receiver = sockets.receiver
                // A loop that has stopped has nothing to tell apart.
                try? await receiver.eventLoop.submit { receiver.value.update(own) }.get()
            }
        }
    }

    private func declarations(
        with announcements: [StreamName: Announcement],
        shared: Int
    ) -> [RTPDeclaration] {
        var left = announcements
        var all = configuration.declarations
        for index in all.indices {
            guard let own = left.removeValue(forKey: all[index].stream) else { continue }
            all[index].description = own.description
        }
        for (stream, announcement) in left.sorted(by: { $0.key < $1.key }) {
            var declaration = RTPDeclaration(stream: stream)
            declaration.description = announcement.description
            all.append(declaration)
        }
        guard configuration.describedPorts != nil else { return all }
        for index in all.indices { all[index].takeDescribedPorts(besides: shared) }
        return all
    }
}

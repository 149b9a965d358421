import Logging
import NIOCore
import Synchronization

/// The ports that session descriptions name beside the one that all share, and the groups that are
/// joined on all of these.
///
/// All of them belong to the receiver of the shared port: picture and sound of a session may come to
/// a port each.
///
/// Bound: `limit` ports, RTCP's among them, of those that the configuration allows.
/// Calls: one after the other; the owner sees to it.
final class RTPDescribedPorts: Sendable {
    private struct Socket {
        let channels: [any Channel]
        var joined: Set<MulticastMembership> = []
    }

    /// What is to be joined, by port; 0 is the one that all share.
    private typealias Wanted = [UInt16: Set<MulticastMembership>]

    private static let limit = 256

    private let configuration: RTPListener.Configuration
    private let receiver: NIOLoopBound<RTPReceiver>
    /// Its port and that of its RTCP.
    private let shared: [Int]
    private let logger: Logger
    private let sockets: Mutex<[UInt16: Socket]>

    init(beside shared: RTPSockets, configuration: RTPListener.Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        receiver = shared.receiver
        self.shared = [shared.port] + (shared.rtcpPort.map { [$0] } ?? [])
        sockets = Mutex([0: Socket(channels: shared.channels)])
    }

    /// Opens and joins what these declarations want, has `commit` make them hold, then closes and
    /// leaves what none of them wants.
    ///
    /// Throws, with all as it was, when something cannot be opened or joined.
    func change(
        to declarations: [RTPDeclaration],
        commit: () async -> Void
    ) async throws(RTPListenerError) {
        let wanted = try wanted(by: declarations)
        let before = sockets.withLock { $0.mapValues(\.joined) }
        do throws(RTPListenerError) {
            for port in wanted.keys.sorted() where before[port] == nil { try await open(port) }
            for (port, groups) in wanted {
                for group in groups.subtracting(before[port] ?? []) {
                    try await join(group, on: port)
                }
            }
        } catch {
            await reduce(to: before)
            throw error
        }
        await commit()
        await reduce(to: wanted)
    }

    /// Closes what was opened here.
    func close() async {
        for port in sockets.withLock({ Array($0.keys) }) where port != 0 { await close(port) }
    }

    private func wanted(by declarations: [RTPDeclaration]) throws(RTPListenerError) -> Wanted {
        var wanted: Wanted = [0: []]
        for declaration in declarations {
            wanted[0]?.formUnion(MulticastMembership.all(of: declaration, at: nil))
            for medium in declaration.description?.media ?? []
            where declaration.describedPorts.contains(medium.port) {
                let groups = MulticastMembership.all(of: declaration, at: medium.port)
                // RTCP of one may come where media or RTCP of another does.
                let hasReports = shared.contains(Int(medium.rtcpPort))
                for port in Set([medium.port] + (hasReports ? [] : [medium.rtcpPort])) {
                    try check(port, of: declaration)
                    wanted[port, default: []].formUnion(groups)
                }
            }
        }
        guard wanted.count <= Self.limit + 1 else {
            throw RTPListenerError(
                code: .portNotAllowed,
                operation: "opening ports of session descriptions",
                reason: "they name more than \(Self.limit)",
                cure: "have streams share ingestion.rtp.port"
            )
        }
        return wanted
    }

    private func check(_ port: UInt16, of declaration: RTPDeclaration) throws(RTPListenerError) {
        guard let allowed = configuration.describedPorts, !allowed.contains(Int(port)) else {
            return
        }
        throw RTPListenerError(
            code: .portNotAllowed,
            operation: "opening UDP \(port) for \(declaration.stream)",
            reason:
                "its SDP names port \(port), for media or RTCP, and ingestion.rtp.extra_ports is "
                + "\(allowed.lowerBound)-\(allowed.upperBound)",
            cure: "send to one of these or to \(configuration.port), or widen it"
        )
    }

    // MARK: Sockets

    private func open(_ port: UInt16) async throws(RTPListenerError) {
        let channel = try await RTPSockets.bind(
            Int(port),
            cure: "name another port in the SDP, or have the other program leave it",
            configuration,
            on: receiver.eventLoop
        )
        sockets.withLock { $0[port] = Socket(channels: [channel]) }
        let receiver = receiver
        do {
            try await receiver.eventLoop.submit {
                try channel.pipeline.syncOperations.addHandler(
                    RTPSocketHandler(receiver: receiver.value, role: .media(port: port))
                )
            }.get()
        } catch {
            throw RTPListenerError.serving(Int(port), error)
        }
        logger.info("RTP port opened", metadata: ["port": "\(port)"])
    }

    private func join(
        _ group: MulticastMembership,
        on port: UInt16
    ) async throws(RTPListenerError) {
        let channels = sockets.withLock { $0[port]?.channels ?? [] }
        try await group.join(on: channels)
        _ = sockets.withLock { $0[port]?.joined.insert(group) }
    }

    /// Closes and leaves what is not wanted.
    private func reduce(to wanted: Wanted) async {
        for (port, socket) in sockets.withLock({ $0 }) {
            guard let groups = wanted[port] else {
                await close(port)
                continue
            }
            for group in socket.joined.subtracting(groups) {
                await group.leave(on: socket.channels)
                _ = sockets.withLock { $0[port]?.joined.remove(group) }
            }
        }
    }

    private func close(_ port: UInt16) async {
        guard let socket = sockets.withLock({ $0.removeValue(forKey: port) }) else { return }
        for channel in socket.channels { try? await channel.close() }
        logger.info("RTP port closed", metadata: ["port": "\(port)"])
    }
}

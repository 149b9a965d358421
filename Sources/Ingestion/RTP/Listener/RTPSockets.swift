import Glibc
import NIOCore
import NIOPosix

/// The sockets of one port of RTP and of its RTCP, on one event loop.
struct RTPSockets {
    let port: Int
    /// `nil` for datagrams without RTP headers, which have no RTCP.
    let rtcpPort: Int?
    /// Of columns and of rows; empty where FEC is not taken.
    let correctionPorts: [Int]
    let receiver: NIOLoopBound<RTPReceiver>
    let channels: [any Channel]
    /// What the kernel holds for the port, in bytes.
    let kernelBufferBytes: Int

    /// A port, as the configuration wants it.
    struct Wanted {
        var port: Int
        /// 0: the one after `port`, or any free one where that is 0; `nil`: none.
        var rtcpPort: Int?
        /// FEC is taken two and four ports above.
        var hasCorrection = false
        var declarations: [RTPDeclaration]
        var memberships: [MulticastMembership] = []
        /// The keys that move them.
        var key: String
        var rtcpKey: String
    }

    /// SMPTE ST 2022-1 has columns come two ports above the media's, rows four.
    static let correctionDistances = [2, 4]

    /// Opens the sockets and joins the groups.
    static func open(
        _ wanted: Wanted,
        configuration: RTPListener.Configuration,
        access: RTPAccessControl,
        on eventLoop: any EventLoop
    ) async throws(RTPListenerError) -> RTPSockets {
        var channels: [any Channel] = []
        var correction: [any Channel] = []
        do throws(RTPListenerError) {
            let media = try await bind(
                wanted.port,
                cure: Self.cure(wanted.key),
                configuration,
                on: eventLoop
            )
            channels.append(media)
            let port = media.localAddress?.port ?? wanted.port
            var rtcpPort: Int?
            if let want = wanted.rtcpPort {
                let number = want == 0 && wanted.port != 0 ? wanted.port + 1 : want
                let reports = try await bind(
                    number,
                    cure: Self.cure(wanted.rtcpKey),
                    configuration,
                    on: eventLoop
                )
                channels.append(reports)
                rtcpPort = reports.localAddress?.port
            }
            for distance in wanted.hasCorrection ? correctionDistances : [] {
                correction.append(
                    try await bind(
                        port + distance,
                        cure: Self.cure(wanted.key),
                        configuration,
                        on: eventLoop
                    )
                )
            }
            for membership in wanted.memberships {
                try await membership.join(on: channels + correction)
            }
            let receiver = try await serve(
                channels,
                correction,
                port: port,
                wanted.declarations,
                configuration,
                access,
                on: eventLoop
            )
            return RTPSockets(
                port: port,
                rtcpPort: rtcpPort,
                correctionPorts: correction.compactMap(\.localAddress?.port),
                receiver: receiver,
                channels: channels + correction,
                kernelBufferBytes: await granted(media)
            )
        } catch {
            for channel in channels + correction { try? await channel.close() }
            throw error
        }
    }

    /// Ends the contributions and closes the sockets.
    func close() async {
        try? await receiver.eventLoop.submit { receiver.value.stop() }.get()
        for channel in channels { try? await channel.close() }
    }

    /// Puts the receiver behind the sockets, and lets it read.
    private static func serve(
        _ channels: [any Channel],
        _ correction: [any Channel],
        port: Int,
        _ declarations: [RTPDeclaration],
        _ configuration: RTPListener.Configuration,
        _ access: RTPAccessControl,
        on eventLoop: any EventLoop
    ) async throws(RTPListenerError) -> NIOLoopBound<RTPReceiver> {
        do {
            return try await eventLoop.submit {
                let receiver = RTPReceiver(
                    port: port,
                    declarations: declarations,
                    configuration: configuration,
                    access: access,
                    eventLoop: eventLoop
                )
                for (channel, role) in channels.map({ ($0, RTPSocketHandler.Role.media(port: nil)) }
                )
                    + correction.map({ ($0, .correction) })
                {
                    try channel.pipeline.syncOperations.addHandler(
                        RTPSocketHandler(receiver: receiver, role: role)
                    )
                }
                return NIOLoopBound(receiver, eventLoop: eventLoop)
            }.get()
        } catch {
            throw RTPListenerError.serving(port, error)
        }
    }

    private static func cure(_ key: String) -> String {
        "\(key) moves it, and ingestion.rtp.enabled: false does without RTP"
    }

    static func bind(
        _ port: Int,
        cure: String,
        _ configuration: RTPListener.Configuration,
        on eventLoop: any EventLoop
    ) async throws(RTPListenerError) -> any Channel {
        guard (0...65_535).contains(port) else {
            throw RTPListenerError(
                code: .system,
                operation: "binding UDP \(configuration.bindAddress) port \(port)",
                reason: "ports end at 65535",
                cure: cure
            )
        }
        do {
            let address = try NIOCore.SocketAddress(
                ipAddress: configuration.bindAddress,
                port: port
            )
            var bootstrap = DatagramBootstrap(group: eventLoop)
                .channelOption(
                    .socketOption(.so_rcvbuf),
                    value: .init(configuration.receiveBufferBytes)
                )
                .channelOption(
                    .datagramVectorReadMessageCount,
                    value: RTPSocketHandler.datagramsPerRead
                )
                .channelOption(
                    .recvAllocator,
                    value: FixedSizeRecvByteBufferAllocator(
                        capacity: RTPSocketHandler.maxDatagramBytes
                            * RTPSocketHandler.datagramsPerRead
                    )
                )
            if address.protocol == .inet6 {
                // A socket bound to :: takes IPv4 senders too.
                bootstrap = bootstrap.channelOption(
                    ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only),
                    value: 0
                )
            }
            return try await bootstrap.bind(to: address).get()
        } catch {
            throw RTPListenerError(
                code: (error as? IOError)?.errnoCode == EADDRINUSE ? .addressInUse : .system,
                operation: "binding UDP \(configuration.bindAddress) port \(port)",
                reason: reason(of: error),
                cure: cure
            )
        }
    }

    private static func reason(of error: any Error) -> String {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: "another program has it"
        case EACCES: "ports below 1024 are for root alone"
        default: "\(error)"
        }
    }

    /// The kernel reports twice what it grants.
    private static func granted(_ channel: any Channel) async -> Int {
        let option = ChannelOptions.Types.SocketOption(level: .socket, name: .so_rcvbuf)
        let value = try? await channel.getOption(option).get()
        return Int(value ?? 0) / 2
    }
}

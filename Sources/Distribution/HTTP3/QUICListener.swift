import Glibc
import NIOCore
import NIOPosix

/// Opens the sockets of the HTTP/3 door: one for each event loop and family of addresses, all on one
/// port.
///
/// `::` is two sockets, not one for both families: the kernel marks and reports congestion (ECN) and
/// the path MTU by family.
///
/// Source: RFC 9000, 13.4 and 14.
struct QUICListener {
    let address: String
    let port: Int
    let door: HTTP3Door

    /// The sockets, and what to do with them.
    struct Open: Sendable {
        let port: Int
        fileprivate let endpoints: [NIOLoopBound<QUICEndpoint>]

        /// Returns when the last connection has ended.
        func drain() async {
            await withTaskGroup { group in
                for endpoint in endpoints {
                    group.addTask {
                        try? await endpoint.eventLoop.flatSubmit { endpoint.value.drain() }.get()
                    }
                }
            }
        }

        /// Ends all connections.
        func stop() {
            for endpoint in endpoints { endpoint.eventLoop.execute { endpoint.value.stop() } }
        }

        func close() async {
            for endpoint in endpoints {
                try? await endpoint.eventLoop.flatSubmit { endpoint.value.close() }.get()
            }
        }
    }

    func open(on group: any EventLoopGroup) async throws -> Open {
        // An index is a byte of a connection ID.
        let loops = Array(group.makeIterator().prefix(Int(UInt8.max)))
        var endpoints: [NIOLoopBound<QUICEndpoint>] = []
        for (index, loop) in loops.enumerated() {
            let door = door
            endpoints.append(
                try await loop.submit {
                    NIOLoopBound(
                        QUICEndpoint(eventLoop: loop, index: UInt8(clamping: index), door: door),
                        eventLoop: loop
                    )
                }.get()
            )
        }
        for endpoint in endpoints {
            let all = endpoints
            try await endpoint.eventLoop.submit { endpoint.value.siblings = all }.get()
        }
        do {
            var port = port
            for address in addresses {
                port = try await reserve(address, port, on: loops)
                let address = try Self.socketAddress(address, port)
                for endpoint in endpoints { try await bind(address, endpoint).get() }
            }
            return Open(port: port, endpoints: endpoints)
        } catch {
            await Open(port: port, endpoints: endpoints).close()
            throw error
        }
    }

    private var addresses: [String] { address == "::" ? ["::", "0.0.0.0"] : [address] }

    /// Sees to it that nobody else has the port.
    ///
    /// Sockets that share a port share it with any other of the same user that wants to: another
    /// server's viewers would end up here.
    ///
    /// - Returns: `port`, or a free one for zero.
    /// - Throws: When somebody listens on it.
    private func reserve(
        _ host: String,
        _ port: Int,
        on loops: [any EventLoop]
    ) async throws -> Int {
        guard let loop = loops.first else { return port }
        let address = try Self.socketAddress(host, port)
        let channel = try await bootstrap(for: address, on: loop).bind(to: address).get()
        let port = channel.localAddress?.port ?? port
        try await channel.close()
        return port
    }

    /// A number is taken as it is: where IPv6 is all that a machine has beside the loopback, a resolver
    /// makes an address of IPv6 of it, which a socket of one family cannot have.
    private static func socketAddress(_ host: String, _ port: Int) throws -> SocketAddress {
        if let address = try? SocketAddress(ipAddress: host, port: port) { return address }
        return try SocketAddress.makeAddressResolvingHost(host, port: port)
    }

    private func bootstrap(
        for address: SocketAddress,
        on loop: any EventLoop
    ) -> DatagramBootstrap {
        let bootstrap = DatagramBootstrap(group: loop)
        guard address.protocol == .inet6 else { return bootstrap }
        return bootstrap.channelOption(option(CInt(IPPROTO_IPV6), IPV6_V6ONLY), value: 1)
    }

    private func bind(
        _ address: SocketAddress,
        _ endpoint: NIOLoopBound<QUICEndpoint>
    ) -> EventLoopFuture<Void> {
        let isIPv6 = address.protocol == .inet6
        // A datagram is never cut on the way: that is how the path MTU is found (RFC 9000, 14).
        return bootstrap(for: address, on: endpoint.eventLoop)
            .channelOption(option(SOL_SOCKET, SO_REUSEPORT), value: 1)
            .channelOption(.socketOption(.so_rcvbuf), value: 4 * 1024 * 1024)
            .channelOption(.socketOption(.so_sndbuf), value: 4 * 1024 * 1024)
            .channelOption(
                isIPv6
                    ? option(CInt(IPPROTO_IPV6), IPV6_MTU_DISCOVER)
                    : option(CInt(IPPROTO_IP), IP_MTU_DISCOVER),
                value: SocketOptionValue(IP_PMTUDISC_PROBE)
            )
            .channelOption(.explicitCongestionNotification, value: true)
            .channelOption(
                .datagramVectorReadMessageCount,
                value: QUICSocketHandler.datagramsPerRead
            )
            // A second read would nearly always find nothing; the kernel tells when there is more.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(
                    capacity: QUICSocketHandler.maxDatagramBytes
                        * QUICSocketHandler.datagramsPerRead
                )
            )
            .channelOption(
                .writeBufferWaterMark,
                value: .init(low: 256 * 1024, high: 1024 * 1024)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let socket = QUICSocket(channel, address: address)
                    endpoint.value.sockets.append(socket)
                    channel.closeFuture.assumeIsolated().whenComplete { _ in
                        endpoint.value.lost(socket)
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        QUICSocketHandler(endpoint: endpoint.value, socket: socket)
                    )
                }
            }
            .bind(to: address)
            .map { channel in
                channel.closeFuture.whenComplete { _ in
                    if !endpoint.value.isClosed { reopen(address, endpoint) }
                }
            }
    }

    /// NIO closes a socket that could not send: its network went away, a firewall forbids it.
    ///
    /// That is over in a moment or in an hour, and it concerns one peer or all of them: another socket takes
    /// the place of the lost one, as often as it takes, and not more often than `reopeningPause` says.
    private func reopen(_ address: SocketAddress, _ endpoint: NIOLoopBound<QUICEndpoint>) {
        endpoint.eventLoop.scheduleTask(in: Self.reopeningPause) {
            guard !endpoint.value.isClosed else { return }
            bind(address, endpoint).whenComplete { result in
                switch result {
                case .success: endpoint.value.statistics.reopenedSockets += 1
                case .failure: reopen(address, endpoint)
                }
            }
        }
    }

    private static let reopeningPause = TimeAmount.milliseconds(10)

    private func option(_ level: CInt, _ name: CInt) -> ChannelOptions.Types.SocketOption {
        .init(level: SocketOptionLevel(level), name: SocketOptionName(name))
    }
}

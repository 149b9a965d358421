import CSRT
import Glibc
import NIOCore
import NIOPosix

/// A multicast group to join, of any source or of one.
///
/// Source: RFC 3678, the options that are the same for IPv4 and IPv6.
struct MulticastMembership {
    private let group: IPAddress
    private let source: IPAddress?
    private let interface: String?

    /// - Returns: `nil` for a declaration without a group.
    init?(_ declaration: RTPDeclaration) {
        guard let group = declaration.group else { return nil }
        self.group = group
        source = declaration.source?.onlyAddress
        interface = declaration.interface
    }

    func join(on channels: [any Channel]) async throws(RTPListenerError) {
        let index = try interfaceIndex()
        for channel in channels {
            guard let socket = channel as? any SocketOptionProvider else { continue }
            do {
                try await request(on: socket, index).get()
            } catch {
                throw RTPListenerError(
                    code: .system,
                    operation: "joining group \(group)",
                    reason: "\(error)",
                    cure: "check group, source and interface in ingestion.rtp.sessions"
                )
            }
        }
    }

    private func request(
        on socket: any SocketOptionProvider,
        _ interface: UInt32
    ) -> EventLoopFuture<Void> {
        let level = group.isIPv4 ? NIOBSDSocket.OptionLevel.ip : .ipv6
        if let source {
            return socket.unsafeSetSocketOption(
                level: level,
                name: NIOBSDSocket.Option(rawValue: MCAST_JOIN_SOURCE_GROUP),
                value: group_source_req(
                    gsr_interface: interface,
                    gsr_group: group.socketAddress,
                    gsr_source: source.socketAddress
                )
            )
        }
        return socket.unsafeSetSocketOption(
            level: level,
            name: NIOBSDSocket.Option(rawValue: MCAST_JOIN_GROUP),
            value: group_req(gr_interface: interface, gr_group: group.socketAddress)
        )
    }

    /// 0 leaves the choice to the system.
    private func interfaceIndex() throws(RTPListenerError) -> UInt32 {
        guard let interface else { return 0 }
        let named = if_nametoindex(interface)
        if named != 0 { return named }
        let address = IPAddress(interface)
        let devices = (try? System.enumerateDevices()) ?? []
        for device in devices {
            guard let own = device.address, let peer = RTPPeer(own), peer.address == address
            else { continue }
            return UInt32(clamping: device.interfaceIndex)
        }
        throw RTPListenerError(
            code: .noInterface,
            operation: "joining group \(group)",
            reason: "this machine has no interface \(interface)",
            cure: "name one that `ip address` lists, or leave interface out"
        )
    }
}

extension IPAddress {
    /// As the socket calls want it, with port 0.
    fileprivate var socketAddress: sockaddr_storage {
        var storage = sockaddr_storage()
        let bytes = bytes
        withUnsafeMutableBytes(of: &storage) { storage in
            let family = sa_family_t(isIPv4 ? AF_INET : AF_INET6)
            storage.storeBytes(of: family, as: sa_family_t.self)
            // The address is behind the port; in IPv6, also behind the flow.
            let offset = isIPv4 ? 4 : 8
            storage[offset..<(offset + bytes.count)].copyBytes(from: bytes)
        }
        return storage
    }
}

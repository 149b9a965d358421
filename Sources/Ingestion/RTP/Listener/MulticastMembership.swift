import CSRT
import Glibc
import NIOCore
import NIOPosix

/// A multicast group to join, of any source or of one.
///
/// Source: RFC 3678, the options that are the same for IPv4 and IPv6.
struct MulticastMembership: Hashable {
    /// Of one medium.
    private static let sourceLimit = 16

    private let group: IPAddress
    private let source: IPAddress?
    private let interface: String?

    /// What a declaration has joined: its own group, or those of its description's media that come to
    /// this port (RFC 8866, 5.7; RFC 4570).
    static func all(of declaration: RTPDeclaration, at port: UInt16?) -> [MulticastMembership] {
        let interface = declaration.interface
        if let group = declaration.group {
            let source = declaration.source?.onlyAddress
            return [MulticastMembership(group: group, source: source, interface: interface)]
        }
        let media = declaration.media(at: port).filter(\.isMulticast)
        return media.flatMap { medium in
            guard let group = medium.address.flatMap({ IPAddress($0) }) else {
                return [MulticastMembership]()
            }
            let sources =
                medium.sources.isEmpty
                ? [declaration.source?.onlyAddress]
                : medium.sources.prefix(sourceLimit).compactMap { IPAddress($0) }
            return sources.map { source in
                MulticastMembership(group: group, source: source, interface: interface)
            }
        }
    }

    func join(on channels: [any Channel]) async throws(RTPListenerError) {
        let index = try interfaceIndex()
        for channel in channels {
            guard let socket = channel as? any SocketOptionProvider else { continue }
            do {
                try await request(.join, on: socket, index).get()
            } catch {
                throw RTPListenerError(
                    code: .system,
                    operation: "joining group \(group)",
                    reason: "\(error)",
                    cure:
                        "check group, source and interface, in ingestion.rtp.sessions or in the SDP"
                )
            }
        }
    }

    /// Leaves the group where it was joined; nothing is wrong where it was not.
    func leave(on channels: [any Channel]) async {
        guard let index = try? interfaceIndex() else { return }
        for channel in channels {
            guard let socket = channel as? any SocketOptionProvider else { continue }
            try? await request(.leave, on: socket, index).get()
        }
    }

    private enum Change {
        case join, leave

        var anySource: Int32 { self == .join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP }
        var oneSource: Int32 { self == .join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP }
    }

    private func request(
        _ change: Change,
        on socket: any SocketOptionProvider,
        _ interface: UInt32
    ) -> EventLoopFuture<Void> {
        let level = group.isIPv4 ? NIOBSDSocket.OptionLevel.ip : .ipv6
        if let source {
            return socket.unsafeSetSocketOption(
                level: level,
                name: NIOBSDSocket.Option(rawValue: change.oneSource),
                value: group_source_req(
                    gsr_interface: interface,
                    gsr_group: group.socketAddress,
                    gsr_source: source.socketAddress
                )
            )
        }
        return socket.unsafeSetSocketOption(
            level: level,
            name: NIOBSDSocket.Option(rawValue: change.anySource),
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

package import Ingestion
package import Media

/// A stream that is sent over RTP, or as a transport stream over plain UDP: how to know it, and what
/// it carries.
package struct RTPSessionConfiguration: Sendable, Equatable {
    package var stream: StreamName?
    /// `nil`: the port that all share.
    package var port: Int?
    /// `nil`: the one after `port`.
    package var rtcpPort: Int?
    /// FEC is taken two and four ports above `port`.
    package var takesCorrection = false
    /// `nil`: from anywhere.
    package var source: AddressRange?
    /// `nil`: any.
    package var ssrc: UInt32?
    package var payload = RTPDeclaration.Payload.rtp
    /// `nil`: it is sent to this machine alone.
    package var group: IPAddress?
    /// The interface the group is joined on, by name or by its address; `nil`: the system's choice.
    package var interface: String?
    package var sdp: String?
    package var sdpFile: String?

    package init() {}

    /// What cannot be, of the entry alone.
    var mismatch: ConfigurationMismatch? {
        if payload == .mpegts, port == nil {
            return ConfigurationMismatch(
                "payload: mpegts has no RTP header, and no port of its own",
                cure: "Give it a port"
            )
        }
        if payload == .mpegts,
            ssrc != nil || rtcpPort != nil || takesCorrection || sdp != nil || sdpFile != nil
        {
            return ConfigurationMismatch(
                "payload: mpegts has no RTP header: no ssrc, no rtcp_port, no fec, no SDP",
                cure: "Take them out, or send RTP"
            )
        }
        if takesCorrection, port == nil {
            return ConfigurationMismatch(
                "fec without a port of its own",
                cure: "Give it a port, or set ingestion.rtp.fec for the port that all share"
            )
        }
        if sdp != nil, sdpFile != nil {
            return ConfigurationMismatch("both sdp and sdp_file are given", cure: "Keep one")
        }
        if interface != nil, group == nil, sdp == nil, sdpFile == nil {
            return ConfigurationMismatch(
                "interface without group",
                cure: "Give the multicast group to join on it, or an SDP that has one"
            )
        }
        if let group, !group.isMulticast {
            return ConfigurationMismatch(
                "\(group) is no multicast address",
                cure: "Give one of 224.0.0.0/4 or ff00::/8, or take group out"
            )
        }
        return nil
    }

    /// The declaration it makes with the text of its SDP; `nil` without a name, or when the text is
    /// none: the configuration refuses those.
    func declaration(sdp text: String?) -> RTPDeclaration? {
        guard let stream else { return nil }
        var declaration = RTPDeclaration(stream: stream)
        declaration.port = port
        declaration.rtcpPort = rtcpPort
        declaration.hasCorrection = takesCorrection
        declaration.source = source
        declaration.ssrc = ssrc
        declaration.payload = payload
        declaration.group = group
        declaration.interface = interface
        if let text {
            guard let description = try? SessionDescription(parsing: text) else { return nil }
            declaration.description = description
            declaration.descriptionText = text
        }
        return declaration
    }
}

extension ServerConfiguration.RTP {
    /// With the default made a number; 0 is any free one.
    var effectiveRTCPPort: Int {
        rtcpPort == 0 && port != 0 ? min(port + 1, 65_535) : rtcpPort
    }

    /// A port that sessions have of their own.
    struct OwnPort {
        let port: Int
        /// Of transport streams in plain UDP there is none.
        var rtcpPort: Int?
        /// Of FEC, columns first; empty where none is taken.
        var correctionPorts: [Int] = []
    }

    /// Each once.
    var ownPorts: [OwnPort] {
        let own = sessions.filter { $0.port != nil && $0.port != port }
        return Dictionary(grouping: own) { $0.port ?? 0 }.sorted { $0.key < $1.key }
            .map { port, sessions in
                let isPlain = sessions.contains { $0.payload == .mpegts }
                let given = sessions.compactMap(\.rtcpPort).first
                return OwnPort(
                    port: port,
                    rtcpPort: isPlain ? nil : given ?? min(port + 1, 65_535),
                    correctionPorts: sessions.contains(where: \.takesCorrection)
                        ? Self.correctionPorts(of: port) : []
                )
            }
    }

    /// Of the port that all share; empty where no FEC is taken.
    var correctionPorts: [Int] {
        let isTaken = takesCorrection || sessions.contains { $0.port == port && $0.takesCorrection }
        return isTaken ? Self.correctionPorts(of: port) : []
    }

    private static func correctionPorts(of port: Int) -> [Int] {
        port == 0 ? [0, 0] : [min(port + 2, 65_535), min(port + 4, 65_535)]
    }
}

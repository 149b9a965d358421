/// Reads a session description line by line.
///
/// Attributes of a medium may come in any order, so payload types and their parameters are put
/// together when the medium ends.
struct SessionDescriptionReader {
    private struct Encoding {
        var line: Int
        var text: Substring
    }

    private var description = SessionDescription()
    private var hasBegun = false
    private var sessionAddress: String?
    private var sessionSources: [String] = []
    private var isSessionMultiplexed = false
    /// Where DUP groups stand, and of what.
    private var copies: [(line: Int, mediaIDs: [String])] = []
    private var medium: MediaDescription?
    private var mediumLine = 0
    private var payloadTypes: [UInt8] = []
    private var maps: [UInt8: Encoding] = [:]
    private var parameters: [UInt8: Encoding] = [:]

    mutating func read(_ line: Substring, number: Int) throws(SessionDescriptionError) {
        guard let (key, value) = line.cut(at: "="), key.count == 1 else {
            throw SessionDescriptionError(line: number, reason: .malformedLine, excerpt: line)
        }
        guard hasBegun || (key == "v" && value == "0") else {
            throw SessionDescriptionError(line: number, reason: .notADescription, excerpt: line)
        }
        switch key {
        case "v": hasBegun = true
        case "s": description.name = value == "-" ? "" : String(value)
        case "c": try readConnection(value, number)
        case "m": try beginMedium(value, number)
        case "a": try readAttribute(value, number)
        default: break
        }
    }

    mutating func finish() throws(SessionDescriptionError) -> SessionDescription {
        try endMedium()
        guard hasBegun else { throw SessionDescriptionError(line: 0, reason: .notADescription) }
        guard !description.media.isEmpty else {
            throw SessionDescriptionError(line: 0, reason: .noMedia)
        }
        guard description.media.contains(where: { !$0.payloads.isEmpty }) else {
            throw SessionDescriptionError(line: 0, reason: .nothingCarried)
        }
        for group in copies {
            let copies = description.media.filter {
                $0.port != 0 && $0.mediaID.map(group.mediaIDs.contains) ?? false
            }
            guard copies.count < 2 else {
                throw SessionDescriptionError(line: group.line, reason: .copies)
            }
        }
        return description
    }

    /// `IN IP4 224.2.36.42/127` or `IN IP6 ff15::101/3`.
    private mutating func readConnection(
        _ value: Substring,
        _ number: Int
    ) throws(SessionDescriptionError) {
        let fields = value.split(separator: " ")
        guard fields.count == 3, fields[0] == "IN", fields[1] == "IP4" || fields[1] == "IP6" else {
            throw SessionDescriptionError(
                line: number,
                reason: .malformedConnection,
                excerpt: value
            )
        }
        let address = fields[2].cut(at: "/")?.head ?? fields[2]
        try check(address, number)
        if medium == nil {
            sessionAddress = address.lowercased()
        } else {
            medium?.address = address.lowercased()
        }
    }

    /// Names are not looked up: what is received from must not depend on a name server.
    private func check(_ address: Substring, _ number: Int) throws(SessionDescriptionError) {
        let isAddress: Bool
        if address.utf8.contains(UInt8(ascii: ":")) {
            isAddress =
                address.utf8.count <= 45
                && address.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        } else {
            let parts = address.split(separator: ".", omittingEmptySubsequences: false)
            isAddress = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
        }
        guard isAddress else {
            throw SessionDescriptionError(line: number, reason: .badAddress, excerpt: address)
        }
    }

    /// `video 49170/2 RTP/AVP 96 97`.
    private mutating func beginMedium(
        _ value: Substring,
        _ number: Int
    ) throws(SessionDescriptionError) {
        try endMedium()
        guard description.media.count < SessionDescription.mediaLimit else {
            throw SessionDescriptionError(line: number, reason: .tooManyMedia)
        }
        let fields = value.split(separator: " ")
        guard fields.count >= 4, let port = UInt16(fields[1].cut(at: "/")?.head ?? fields[1]) else {
            throw SessionDescriptionError(line: number, reason: .malformedMedia, excerpt: value)
        }
        guard fields.count - 3 <= SessionDescription.payloadLimit else {
            throw SessionDescriptionError(line: number, reason: .tooManyPayloads)
        }
        let isRTP = fields[2].hasPrefix("RTP/AVP")
        let kind: MediaDescription.Kind
        switch fields[0] {
        case "video" where isRTP: kind = .video
        case "audio" where isRTP: kind = .audio
        default: kind = .other
        }
        medium = MediaDescription(kind: kind, port: port)
        mediumLine = number
        payloadTypes = []
        maps = [:]
        parameters = [:]
        guard kind != .other else { return }
        for field in fields.dropFirst(3) {
            guard let type = UInt8(field), type < 128 else {
                throw SessionDescriptionError(line: number, reason: .malformedMedia, excerpt: value)
            }
            payloadTypes.append(type)
        }
    }

    private mutating func endMedium() throws(SessionDescriptionError) {
        guard var medium else { return }
        self.medium = nil
        medium.address = medium.address ?? sessionAddress
        if medium.sources.isEmpty { medium.sources = sessionSources }
        if isSessionMultiplexed { medium.isRTCPMultiplexed = true }
        if medium.isRTCPMultiplexed { medium.rtcpPort = medium.port }
        for type in payloadTypes {
            let fields = FormatParameters(parameters[type]?.text ?? "")
            guard let map = maps[type] else {
                if let format = RTPPayloadFormat(staticPayloadType: type) {
                    medium.payloads[type] = format
                } else {
                    medium.unknownEncodings[type] = "\(type)"
                }
                continue
            }
            guard let payloadMap = PayloadMap(map.text) else {
                throw SessionDescriptionError(
                    line: map.line,
                    reason: .malformedPayloadMap,
                    excerpt: map.text
                )
            }
            if payloadMap.name == "rtx" {
                medium.retransmissions[type] = MediaDescription.Retransmission(fields)
                continue
            }
            do {
                medium.payloads[type] = try RTPPayloadFormat(payloadMap, fields)
            } catch {
                throw SessionDescriptionError(
                    line: parameters[type]?.line ?? map.line,
                    reason: error.reason,
                    excerpt: parameters[type]?.text ?? map.text
                )
            }
            if medium.payloads[type] == nil {
                medium.unknownEncodings[type] = String(payloadMap.name)
            }
        }
        description.media.append(medium)
    }

    private mutating func readAttribute(
        _ value: Substring,
        _ number: Int
    ) throws(SessionDescriptionError) {
        let (name, rest) = value.cut(at: ":") ?? (value, "")
        let text = rest.trimmingSpaces
        switch name {
        case "rtpmap", "fmtp": try readPayload(name, text, number)
        case "source-filter": try readSourceFilter(text, number)
        case "group": readGroup(text, number)
        case "rtcp-mux":
            if medium == nil {
                isSessionMultiplexed = true
            } else {
                medium?.isRTCPMultiplexed = true
            }
        case "rtcp":
            if let port = text.split(separator: " ").first.flatMap({ UInt16($0) }) {
                medium?.rtcpPort = port
            }
        case "rtcp-fb": readFeedback(text)
        case "ssrc": readSSRC(text)
        case "ssrc-group": try readSSRCGroup(text, number)
        case "mid": medium?.mediaID = String(text)
        case "lang": medium?.language = text.lowercased()
        default: break
        }
    }

    /// `96 H264/90000` and `96 packetization-mode=1;…`.
    private mutating func readPayload(
        _ name: Substring,
        _ text: Substring,
        _ number: Int
    ) throws(SessionDescriptionError) {
        guard let medium, medium.kind != .other else { return }
        guard let (head, tail) = text.cut(at: " "), let type = UInt8(head), type < 128 else {
            throw SessionDescriptionError(
                line: number,
                reason: name == "rtpmap" ? .malformedPayloadMap : .malformedParameters,
                excerpt: text
            )
        }
        let encoding = Encoding(line: number, text: tail.trimmingSpaces)
        if name == "rtpmap" { maps[type] = encoding } else { parameters[type] = encoding }
    }

    /// `incl IN IP4 232.3.4.5 192.0.2.10 192.0.2.11`.
    private mutating func readSourceFilter(
        _ text: Substring,
        _ number: Int
    ) throws(SessionDescriptionError) {
        let fields = text.split(separator: " ")
        guard fields.count >= 5, fields[0] == "incl" else { return }
        let sources = fields.dropFirst(4).prefix(SessionDescription.payloadLimit)
        for source in sources { try check(source, number) }
        if medium == nil {
            sessionSources = sources.map { $0.lowercased() }
        } else {
            medium?.sources = sources.map { $0.lowercased() }
        }
    }

    /// `96 nack`, `* nack pli`, `96 ccm fir`.
    private mutating func readFeedback(_ text: Substring) {
        let fields = text.split(separator: " ").dropFirst().map { $0.lowercased() }
        if fields == ["nack"] { medium?.hasNACK = true }
        if fields == ["nack", "pli"] { medium?.hasPLI = true }
        if fields == ["ccm", "fir"] { medium?.hasFIR = true }
    }

    /// `3735928559 cname:user@host`.
    private mutating func readSSRC(_ text: Substring) {
        let (head, tail) = text.cut(at: " ") ?? (text, "")
        guard let ssrc = UInt32(head), var medium else { return }
        if !medium.ssrcs.contains(ssrc), medium.ssrcs.count < SessionDescription.payloadLimit {
            medium.ssrcs.append(ssrc)
        }
        if let (key, value) = tail.cut(at: ":"), key == "cname" { medium.cname = String(value) }
        self.medium = medium
    }

    /// `LS video sound`.
    private mutating func readGroup(_ text: Substring, _ number: Int) {
        let fields = text.split(separator: " ").map(String.init)
        guard let semantics = fields.first, description.groups.count < 16 else { return }
        let group = SessionDescription.Group(
            semantics: semantics,
            mediaIDs: Array(fields.dropFirst().prefix(SessionDescription.mediaLimit))
        )
        description.groups.append(group)
        if semantics == "DUP" { copies.append((number, group.mediaIDs)) }
    }

    /// `FID 1111 2222`: the second repeats the first.
    private mutating func readSSRCGroup(
        _ text: Substring,
        _ number: Int
    ) throws(SessionDescriptionError) {
        let fields = text.split(separator: " ")
        if fields.first == "DUP", fields.count > 2 {
            throw SessionDescriptionError(line: number, reason: .copies, excerpt: text)
        }
        guard fields.count == 3, fields[0] == "FID", let original = UInt32(fields[1]),
            let retransmission = UInt32(fields[2]), medium?.retransmissionSSRCs.count ?? 0 < 64
        else { return }
        medium?.retransmissionSSRCs[retransmission] = original
    }
}

import Media
import NIOCore

/// A source that is not on air: its packets so far, and what is known of them.
struct RTPNewcomer: Sendable {
    enum Step {
        case waiting
        case found(RTPSourceTable.Content)
    }

    /// Transport packets in a row that make datagrams without a header a transport stream
    /// (ETSI TR 101 290, 5.2.1).
    private static let transportPackets = 5

    let declaration: RTPDeclaration?
    private(set) var payloadType: UInt8
    let firstArrival: WallTime
    private(set) var lastArrival: WallTime
    private(set) var packets: UInt64 = 0
    /// Its packets follow one another: it is no stray datagram.
    private(set) var isProven = false
    /// What is missing, in words.
    private(set) var hint = ""
    var held: [ByteBuffer] = []
    var heldBytes = 0
    private var reception = RTPReception(clockRate: 90_000)
    private var detector = RTPPayloadDetector()
    private var framer = TransportPacketFramer()
    private var transportPackets = 0

    init(declaration: RTPDeclaration?, payloadType: UInt8, arrival: WallTime) {
        self.declaration = declaration
        self.payloadType = payloadType
        firstArrival = arrival
        lastArrival = arrival
    }

    mutating func receive(_ packet: RTPPacket, _ datagram: ByteBuffer, arrival: WallTime) -> Step {
        lastArrival = arrival
        packets &+= 1
        payloadType = packet.payloadType
        switch reception.receive(packet, arrival: arrival) {
        case .accepted, .restarted: isProven = true
        case .probation, .duplicate, .invalid: break
        }
        if let media = declaration?.description?.media {
            guard media.contains(where: { $0.payloads[packet.payloadType] != nil }) else {
                hint = "payload type \(packet.payloadType) is in the SDP, and cannot be carried"
                return .waiting
            }
            return .found(.media(media))
        }
        if let format = RTPPayloadFormat(staticPayloadType: packet.payloadType) {
            return .found(Self.content(format, payloadType: packet.payloadType))
        }
        let verdict = datagram.withUnsafeReadableBytes { bytes in
            let payload = bytes.assumingMemoryBound(to: UInt8.self).span.extracting(packet.payload)
            return detector.receive(packet, payload: payload)
        }
        switch verdict {
        case .found(let format):
            return .found(Self.content(format, payloadType: packet.payloadType))
        case .undecided(let hint):
            self.hint = hint.words
            return .waiting
        }
    }

    mutating func receivePlain(_ datagram: ByteBuffer, arrival: WallTime) -> Step {
        lastArrival = arrival
        packets &+= 1
        datagram.withUnsafeReadableBytes { bytes in
            let span = bytes.assumingMemoryBound(to: UInt8.self).span
            var position = 0
            while framer.next(in: span, from: &position) != nil { transportPackets += 1 }
        }
        guard transportPackets >= Self.transportPackets else {
            isProven = packets > 1
            hint = "no transport stream: no sync bytes (0x47) every 188 bytes"
            return .waiting
        }
        isProven = true
        return .found(.plainTransportStream)
    }

    /// Lets go of what is held.
    ///
    /// - Returns: How many bytes it was.
    mutating func letGo() -> Int {
        defer { heldBytes = 0 }
        held.removeAll()
        return heldBytes
    }

    private static func content(
        _ format: RTPPayloadFormat,
        payloadType: UInt8
    ) -> RTPSourceTable.Content {
        let isSound = if case .audio = format.kind { true } else { false }
        var medium = MediaDescription(kind: isSound ? .audio : .video, port: 0)
        medium.payloads[payloadType] = format
        return .media([medium])
    }
}

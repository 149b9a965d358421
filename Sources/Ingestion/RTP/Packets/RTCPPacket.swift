/// One packet of a compound RTCP packet.
///
/// Errors: none. Damage ends the list, what cannot be read inside a packet ends that packet, and
///         kinds that nobody here asks for are left out.
/// Bound:  `packetLimit` packets of a datagram; lists in them are bounded by their 5-bit counts, or
///         by the datagram.
///
/// Source: RFC 3550, 6.4 to 6.6; RFC 4585, 6; RFC 5104, 4.3.1; first packets that are no reports
///         are taken (RFC 5506).
package enum RTCPPacket: Sendable, Equatable {
    /// Its blocks on what the sender receives are left out: nothing is sent to it.
    case senderReport(RTCPSenderReport)
    case receiverReport(ssrc: UInt32, [RTCPReceptionReport])
    /// The CNAME of each source that tells one.
    case sourceDescription([CanonicalName])
    case bye([UInt32])
    case feedback(sender: UInt32, RTCPFeedback)

    /// What stays the same when a source's SSRC changes, and ties its sound to its pictures.
    package struct CanonicalName: Sendable, Equatable {
        package let ssrc: UInt32
        /// At most 255 bytes.
        package let name: String

        package init(ssrc: UInt32, name: String) {
            self.ssrc = ssrc
            self.name = name
        }
    }

    static let version: UInt8 = 2
    private static let packetLimit = 64

    enum Kind {
        static let senderReport: UInt8 = 200
        static let receiverReport: UInt8 = 201
        static let sourceDescription: UInt8 = 202
        static let bye: UInt8 = 203
        static let transportFeedback: UInt8 = 205
        static let payloadFeedback: UInt8 = 206
    }

    /// Says whether a datagram of a port that takes both is RTCP rather than RTP.
    ///
    /// Source: RFC 5761, 4.
    @inline(__always)
    package static func isRTCP(_ datagram: Span<UInt8>) -> Bool {
        datagram.count >= 4 && datagram[0] >> 6 == version && 192...223 ~= datagram[1]
    }

    /// Reads a compound packet as far as it can be read.
    package static func parse(_ compound: Span<UInt8>) -> [RTCPPacket] {
        var packets: [RTCPPacket] = []
        var start = 0
        while start + 4 <= compound.count, packets.count < packetLimit {
            let flags = compound[start]
            let byteCount = 4 + Int(compound.bigEndian(at: start + 2, byteCount: 2)) * 4
            guard flags >> 6 == version, start + byteCount <= compound.count else { break }
            let padding = flags & 0x20 != 0 ? Int(compound[start + byteCount - 1]) : 0
            guard padding <= byteCount - 4 else { break }
            let body = compound.extracting(start + 4..<start + byteCount - padding)
            let packet = read(kind: compound[start + 1], count: Int(flags & 0x1F), body)
            if let packet { packets.append(packet) }
            start += byteCount
        }
        return packets
    }

    private static func read(kind: UInt8, count: Int, _ body: Span<UInt8>) -> RTCPPacket? {
        guard body.count >= 4 else { return nil }
        switch kind {
        case Kind.senderReport:
            guard body.count >= 24 else { return nil }
            return .senderReport(RTCPSenderReport(body))
        case Kind.receiverReport:
            let blocks = body.extracting(droppingFirst: 4)
            return .receiverReport(
                ssrc: body.bigEndian(at: 0, byteCount: 4),
                reports(blocks, count: count)
            )
        case Kind.sourceDescription: return .sourceDescription(names(body, count: count))
        case Kind.bye:
            let leaving = min(count, body.count / 4)
            return .bye((0..<leaving).map { body.bigEndian(at: $0 * 4, byteCount: 4) })
        case Kind.transportFeedback, Kind.payloadFeedback:
            guard let feedback = RTCPFeedback(kind: kind, format: count, body) else { return nil }
            return .feedback(sender: body.bigEndian(at: 0, byteCount: 4), feedback)
        default: return nil
        }
    }

    private static func reports(_ blocks: Span<UInt8>, count: Int) -> [RTCPReceptionReport] {
        let whole = min(count, blocks.count / RTCPReceptionReport.byteCount)
        return (0..<whole).map { index in
            let start = index * RTCPReceptionReport.byteCount
            return RTCPReceptionReport(
                blocks.extracting(start..<start + RTCPReceptionReport.byteCount)
            )
        }
    }

    /// The CNAME items of chunks that each end with a zero byte and fill up their last word.
    private static func names(_ chunks: Span<UInt8>, count: Int) -> [CanonicalName] {
        var names: [CanonicalName] = []
        var position = 0
        for _ in 0..<count {
            guard position + 4 <= chunks.count else { break }
            let ssrc = chunks.bigEndian(at: position, byteCount: 4)
            position += 4
            while position + 2 <= chunks.count, chunks[position] != 0 {
                let end = position + 2 + Int(chunks[position + 1])
                guard end <= chunks.count else { return names }
                if chunks[position] == 1 {
                    let name = chunks.extracting(position + 2..<end)
                    names.append(
                        CanonicalName(
                            ssrc: ssrc,
                            name: name.withUnsafeBufferPointer {
                                String(decoding: $0, as: UTF8.self)
                            }
                        )
                    )
                }
                position = end
            }
            position = (position + 4) & ~3
        }
        return names
    }
}

extension RTCPSenderReport {
    /// - Parameter body: At least 24 bytes, from the SSRC on.
    fileprivate init(_ body: Span<UInt8>) {
        let seconds = UInt64(body.bigEndian(at: 4, byteCount: 4))
        self.init(
            ssrc: body.bigEndian(at: 0, byteCount: 4),
            ntp: seconds << 32 | UInt64(body.bigEndian(at: 8, byteCount: 4)),
            rtpTimestamp: body.bigEndian(at: 12, byteCount: 4),
            packets: body.bigEndian(at: 16, byteCount: 4),
            octets: body.bigEndian(at: 20, byteCount: 4)
        )
    }
}

extension RTCPReceptionReport {
    static let byteCount = 24

    /// - Parameter block: At least 24 bytes.
    fileprivate init(_ block: Span<UInt8>) {
        self.init(ssrc: block.bigEndian(at: 0, byteCount: 4))
        fractionLost = block[4]
        // 24 bits with a sign: shifted up and down again, the sign is spread.
        cumulativeLost = Int32(bitPattern: block.bigEndian(at: 5, byteCount: 3) << 8) >> 8
        extendedHighestSequence = block.bigEndian(at: 8, byteCount: 4)
        jitter = block.bigEndian(at: 12, byteCount: 4)
        lastSenderReport = block.bigEndian(at: 16, byteCount: 4)
        delaySinceLastSenderReport = block.bigEndian(at: 20, byteCount: 4)
    }
}

extension RTCPFeedback {
    enum Format {
        /// In a transport layer feedback packet.
        static let negativeAcknowledgement = 1
        /// In payload-specific feedback packets.
        static let pictureLoss = 1
        static let fullIntraRequest = 4
    }

    /// Reads the feedback packets that this server sends; of a FIR, its first entry.
    fileprivate init?(kind: UInt8, format: Int, _ body: Span<UInt8>) {
        guard body.count >= 8 else { return nil }
        let media = body.bigEndian(at: 4, byteCount: 4)
        switch (kind, format) {
        case (RTCPPacket.Kind.transportFeedback, Format.negativeAcknowledgement):
            self = .negativeAcknowledgement(
                media: media,
                lost: Self.lost(body.extracting(droppingFirst: 8))
            )
        case (RTCPPacket.Kind.payloadFeedback, Format.pictureLoss):
            self = .pictureLoss(media: media)
        case (RTCPPacket.Kind.payloadFeedback, Format.fullIntraRequest):
            guard body.count >= 16 else { return nil }
            self = .fullIntraRequest(
                media: body.bigEndian(at: 8, byteCount: 4),
                commandSequence: body[12]
            )
        default: return nil
        }
    }

    /// The packets that pairs of a packet ID and a bit mask of the 16 behind it name.
    private static func lost(_ pairs: Span<UInt8>) -> [UInt16] {
        var lost: [UInt16] = []
        for start in stride(from: 0, to: pairs.count - 3, by: 4) {
            let first = UInt16(truncatingIfNeeded: pairs.bigEndian(at: start, byteCount: 2))
            let mask = pairs.bigEndian(at: start + 2, byteCount: 2)
            lost.append(first)
            for bit in 0..<UInt16(16) where mask & 1 << UInt32(bit) != 0 {
                lost.append(first &+ bit &+ 1)
            }
        }
        return lost
    }
}

import Synchronization

/// Sends the AV1 clip and its sound over RTP, in real time: no other software here does.
///
/// Source: RTP Payload Format For AV1; RFC 3640, 3.3.6 (sound).
package final class AV1OverRTP: Sendable {
    /// What it sends, both media to one port.
    package static func description(port: Int) -> String {
        """
        v=0
        c=IN IP4 127.0.0.1
        m=video \(port) RTP/AVP 98
        a=rtpmap:98 AV1/90000
        m=audio \(port) RTP/AVP 99
        a=rtpmap:99 mpeg4-generic/48000/2
        a=fmtp:99 mode=AAC-hbr;config=1190;sizelength=13;indexlength=3;indexdeltalength=3
        """
    }

    private let feed: PacedFeed

    package init(to port: Int) throws {
        let packets = Mutex(try Packets())
        let socket = UDPSender(to: port)
        feed = PacedFeed {
            packets.withLock { $0.next() }
        } send: { packets in
            for packet in packets { socket.send(packet) }
            return true
        }
    }

    deinit { stop() }

    package func stop() {
        feed.cancel()
    }

    private struct Packets {
        private var clip: AV1Clip
        private let payloads = AV1Payloads(limit: 1_200, countsElements: true)
        private var sequences: [UInt8: UInt16] = [:]

        init() throws {
            clip = try AV1Clip()
        }

        mutating func next() -> (due: Duration, [[UInt8]])? {
            guard let moment = clip.next() else { return nil }
            let picture = payloads.payloads(of: moment.picture)
            var packets = picture.enumerated().map { index, payload in
                packet(payload, 98, moment.pts, marker: index == picture.count - 1)
            }
            for sound in moment.sounds {
                let frame = sound.frame.dropFirst(7)
                let size = UInt16(truncatingIfNeeded: frame.count << 3)
                let header = [0, 16, UInt8(size >> 8), UInt8(size & 255)]
                packets.append(packet(header + frame, 99, sound.pts * 48 / 90, marker: true))
            }
            return (moment.due, packets)
        }

        private mutating func packet(
            _ payload: [UInt8],
            _ payloadType: UInt8,
            _ ticks: Int64,
            marker: Bool
        ) -> [UInt8] {
            let sequence = sequences[payloadType, default: 0]
            sequences[payloadType] = sequence &+ 1
            let timestamp = UInt32(truncatingIfNeeded: ticks)
            let words = [UInt32(sequence), timestamp, UInt32(payloadType)].flatMap { word in
                [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
            }
            return [0x80, payloadType | (marker ? 0x80 : 0)] + words.dropFirst(2) + payload
        }
    }
}

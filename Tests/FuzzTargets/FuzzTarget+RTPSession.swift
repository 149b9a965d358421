import Ingestion
import Media
import NIOCore

/// What an RTP contribution takes in, from datagrams to media events.
extension FuzzTarget {
    /// Datagrams, each behind a byte that says which kind it is, one of how many milliseconds passed
    /// and one of its length.
    static func receiveRTP(_ bytes: UnsafeBufferPointer<UInt8>) {
        var session = RTPSession(configuration: .init(ssrc: 1, cname: "mirror"), media: media)
        var time: Int64 = 0
        var emitted = 0
        let emit: (MediaEvent) -> Void = { event in
            guard case .accessUnit(let unit) = event else { return }
            emitted += unit.payload.readableBytes
            precondition(unit.pts >= unit.dts, "shown before it is decoded")
        }
        var start = 0
        while start + 3 <= bytes.count {
            time += Int64(bytes[start + 1]) * 1_000
            let arrival = WallTime(microsecondsSinceEpoch: time)
            let end = min(start + 3 + Int(bytes[start + 2]), bytes.count)
            let datagram = ByteBuffer(bytes: bytes[start + 3..<end])
            switch bytes[start] & 3 {
            case 0:
                session.correct(datagram, ssrc: 0, arrival: arrival, emit: emit)
            case 1:
                for packet in RTCPPacket.parse(datagram.readableBytesUInt8Span) {
                    session.receive(packet, arrival: arrival, emit: emit)
                }
                _ = session.takeFeedback(now: arrival)
            default:
                session.advance(to: arrival, emit: emit)
                guard let packet = try? RTPPacket(datagram.readableBytesUInt8Span) else { break }
                session.receive(packet, datagram: datagram, arrival: arrival, emit: emit)
            }
            start = end
        }
        let end = WallTime(microsecondsSinceEpoch: time)
        session.finish(arrival: end, emit: emit)
        let statistics = session.statistics(at: end)
        precondition(statistics.streams.count <= RTPSession.streamLimit, "too many streams")
        precondition(emitted <= bytes.count * 5, "more came out than went in")
    }

    private static var media: [MediaDescription] {
        var video = MediaDescription(kind: .video, port: 5_004)
        video.payloads[96] = RTPPayloadFormat(encoding: .h264, clockRate: 90_000)
        video.payloads[98] = RTPPayloadFormat(encoding: .hevc(hasDONL: false), clockRate: 90_000)
        video.payloads[100] = RTPPayloadFormat(
            encoding: .h264,
            clockRate: 90_000,
            interleaving: RTPInterleaving(depth: 3, countsSlices: true, largestDifference: 64)
        )
        video.payloads[101] = RTPPayloadFormat(
            encoding: .hevc(hasDONL: true),
            clockRate: 90_000,
            interleaving: RTPInterleaving(depth: 3, countsSlices: false)
        )
        video.payloads[102] = RTPPayloadFormat(encoding: .jpegXS, clockRate: 90_000)
        video.retransmissions[99] = MediaDescription.Retransmission(payloadType: 96)
        video.hasNACK = true
        video.hasPLI = true
        var audio = MediaDescription(kind: .audio, port: 5_006)
        let packing = RTPPayloadFormat.AACPacking(config: [0x11, 0x90])
        audio.payloads[97] = RTPPayloadFormat(encoding: .aac(packing), clockRate: 48_000)
        audio.payloads[103] = RTPPayloadFormat(
            encoding: .linearPCM(bits: 24),
            clockRate: 48_000,
            channels: 2
        )
        return [video, audio]
    }
}

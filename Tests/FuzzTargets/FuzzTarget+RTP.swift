import Ingestion
import Media
import NIOCore

/// What RTP ports take in.
extension FuzzTarget {
    static func readRTP(_ bytes: UnsafeBufferPointer<UInt8>) {
        let datagram = bytes.span
        guard let packet = try? RTPPacket(datagram) else { return }
        precondition(packet.payload.upperBound <= bytes.count, "a payload outside its datagram")
        let original = RTPRetransmission.original(
            of: packet,
            in: datagram,
            payloadType: 96,
            ssrc: 1
        )
        guard let original else { return }
        precondition(original.payload.count == packet.payload.count - 2, "not what was sent again")
    }

    static func readRTCP(_ bytes: UnsafeBufferPointer<UInt8>) {
        let composer = RTCPComposer(ssrc: 1, cname: "mirror")
        for case .feedback(_, let feedback) in RTCPPacket.parse(bytes.span) {
            let sent = composer.report(on: [], feedback: [feedback])
            let read = RTCPPacket.parse(sent.readableBytesUInt8Span)
            precondition(read.count == 3, "what is composed cannot be read")
        }
    }

    /// Each four bytes are a packet: how far its number and its time lie from the last one's.
    static func reorder(_ bytes: UnsafeBufferPointer<UInt8>) {
        var reception = RTPReception(clockRate: 90_000)
        var buffer = RTPReorderBuffer(configuration: .init(packetLimit: 32, byteLimit: 1_024))
        var number: UInt16 = 0
        var time: Int64 = 0
        var last = Int64.min
        var taken = 0
        var given = 0
        for start in stride(from: 0, to: bytes.count - 3, by: 4) {
            number &+= UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
            time += Int64(Int8(bitPattern: bytes[start + 2])) * 1_000
            let arrival = WallTime(microsecondsSinceEpoch: time)
            let packet = RTPPacket(
                marker: false,
                payloadType: 96,
                sequenceNumber: number,
                timestamp: UInt32(bytes[start + 3]) << 24,
                ssrc: 1,
                payload: 0..<0
            )
            // The number that came in, to see that what goes out ascends.
            let emit: (RTPReorderBuffer.Output) -> Void = { output in
                guard case .packet(_, var datagram) = output,
                    let extended = datagram.readInteger(as: Int64.self)
                else { return }
                precondition(extended > last, "out of order")
                last = extended
                given += 1
            }
            switch reception.receive(packet, arrival: arrival) {
            case .probation, .duplicate, .invalid: continue
            case .restarted(let extended):
                buffer.flush(emit: emit)
                put(extended)
            case .accepted(let extended): put(extended)
            }
            func put(_ extended: Int64) {
                taken += 1
                buffer.receive(
                    packet,
                    extendedSequence: extended,
                    datagram: ByteBuffer(integer: extended),
                    arrival: arrival,
                    emit: emit
                )
            }
            precondition(buffer.statistics.heldPackets <= 32, "more is held than may be")
        }
        buffer.flush { output in
            if case .packet = output { given += 1 }
        }
        precondition(given <= taken, "more came out than went in")
        _ = reception.makeReportBlock(now: WallTime(microsecondsSinceEpoch: time))
    }

    /// Datagrams, each behind a byte that says which kind it is and one of its length.
    static func correct(_ bytes: UnsafeBufferPointer<UInt8>) {
        var correction = RTPForwardErrorCorrection()
        var number: Int64 = 0
        var start = 0
        while start + 2 <= bytes.count {
            let end = min(start + 2 + Int(bytes[start + 1]), bytes.count)
            let arrival = WallTime(microsecondsSinceEpoch: Int64(start))
            let datagram = ByteBuffer(bytes: bytes[start + 2..<end])
            if bytes[start] & 1 == 0 {
                _ = correction.fec(datagram, arrival: arrival)
            } else if let packet = try? RTPPacket(datagram.readableBytesUInt8Span) {
                number += Int64(bytes[start] >> 1)
                _ = correction.media(
                    packet,
                    extendedSequence: number,
                    datagram: datagram,
                    arrival: arrival
                )
            }
            start = end
        }
        let statistics = correction.statistics
        precondition(statistics.recovered <= statistics.received, "more came back than was sent")
    }
}

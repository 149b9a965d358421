package import NIOCore

/// Writes the compound RTCP packets of one receiver.
///
/// Shape:  a receiver report, the CNAME, then feedback or a BYE.
/// Bounds: 31 report blocks, `feedbackLimit` requests, `negativeAcknowledgementLimit` entries of each.
///
/// Source: RFC 3550, 6.1, 6.4.2, 6.5 and 6.6; RFC 4585, 6.2.1 and 6.3.1; RFC 5104, 4.3.1.1.
package struct RTCPComposer: Sendable {
    private static let reportLimit = 31
    private static let feedbackLimit = 8
    private static let negativeAcknowledgementLimit = 64

    /// The receiver's own; senders of media have others.
    package let ssrc: UInt32
    package let cname: String

    /// A composer for one receiver.
    ///
    /// - Parameters:
    ///   - ssrc: The receiver's own.
    ///   - cname: Its first 255 bytes are sent; it should tell nothing of the machine.
    package init(ssrc: UInt32, cname: String) {
        self.ssrc = ssrc
        self.cname = cname
    }

    /// A report, with what is asked for.
    package func report(
        on sources: [RTCPReceptionReport],
        feedback: [RTCPFeedback] = []
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        writeReceiverReport(on: sources, to: &buffer)
        writeSourceDescription(to: &buffer)
        for item in feedback.prefix(Self.feedbackLimit) { write(item, to: &buffer) }
        return buffer
    }

    /// The last packet: this receiver leaves.
    package func goodbye(on sources: [RTCPReceptionReport] = []) -> ByteBuffer {
        var buffer = report(on: sources)
        writePacket(RTCPPacket.Kind.bye, count: 1, to: &buffer) { $0.writeInteger(ssrc) }
        return buffer
    }

    private func writeReceiverReport(
        on sources: [RTCPReceptionReport],
        to buffer: inout ByteBuffer
    ) {
        let blocks = sources.prefix(Self.reportLimit)
        writePacket(RTCPPacket.Kind.receiverReport, count: blocks.count, to: &buffer) { buffer in
            buffer.writeInteger(ssrc)
            for block in blocks {
                let lost = UInt32(bitPattern: block.cumulativeLost) & 0xFF_FFFF
                buffer.writeMultipleIntegers(
                    block.ssrc,
                    UInt32(block.fractionLost) << 24 | lost,
                    block.extendedHighestSequence,
                    block.jitter,
                    block.lastSenderReport,
                    block.delaySinceLastSenderReport
                )
            }
        }
    }

    private func writeSourceDescription(to buffer: inout ByteBuffer) {
        let name = cname.utf8.prefix(255)
        writePacket(RTCPPacket.Kind.sourceDescription, count: 1, to: &buffer) { buffer in
            buffer.writeMultipleIntegers(ssrc, UInt8(1), UInt8(name.count))
            buffer.writeBytes(name)
            // One zero byte ends the list at least; the chunk fills up its last word with them.
            buffer.writeRepeatingByte(0, count: 4 - (name.count + 2) % 4)
        }
    }

    private func write(_ feedback: RTCPFeedback, to buffer: inout ByteBuffer) {
        switch feedback {
        case .negativeAcknowledgement(let media, let lost):
            writePacket(
                RTCPPacket.Kind.transportFeedback,
                count: RTCPFeedback.Format.negativeAcknowledgement,
                to: &buffer
            ) { buffer in
                buffer.writeMultipleIntegers(ssrc, media)
                for entry in Self.entries(lost) {
                    buffer.writeMultipleIntegers(entry.first, entry.mask)
                }
            }
        case .pictureLoss(let media):
            writePacket(
                RTCPPacket.Kind.payloadFeedback,
                count: RTCPFeedback.Format.pictureLoss,
                to: &buffer
            ) { $0.writeMultipleIntegers(ssrc, media) }
        case .fullIntraRequest(let media, let commandSequence):
            writePacket(
                RTCPPacket.Kind.payloadFeedback,
                count: RTCPFeedback.Format.fullIntraRequest,
                to: &buffer
            ) { buffer in
                // The media's SSRC stands in the entry; the header's is not used.
                buffer.writeMultipleIntegers(ssrc, UInt32(0), media)
                buffer.writeInteger(UInt32(commandSequence) << 24)
            }
        }
    }

    /// Pairs of a packet and a mask of the 16 behind it.
    private static func entries(_ lost: [UInt16]) -> [(first: UInt16, mask: UInt16)] {
        var entries: [(first: UInt16, mask: UInt16)] = []
        for number in lost {
            if let last = entries.last, 1...16 ~= number &- last.first {
                entries[entries.count - 1].mask |= 1 << (number &- last.first &- 1)
            } else {
                guard entries.count < negativeAcknowledgementLimit else { break }
                entries.append((number, 0))
            }
        }
        return entries
    }

    /// Writes a packet with its length, which is known when its body is there.
    private func writePacket(
        _ kind: UInt8,
        count: Int,
        to buffer: inout ByteBuffer,
        body: (inout ByteBuffer) -> Void
    ) {
        let start = buffer.writerIndex
        let flags = RTCPPacket.version << 6 | UInt8(truncatingIfNeeded: count)
        buffer.writeMultipleIntegers(flags, kind, UInt16(0))
        body(&buffer)
        let words = (buffer.writerIndex - start) / 4 - 1
        buffer.setInteger(UInt16(truncatingIfNeeded: words), at: start + 2)
    }
}

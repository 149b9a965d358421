import Ingestion
import NIOCore
import TestSupport

/// A sender of one RTP stream, with a sequence and a clock of its own.
struct RTPTestSource {
    /// AAC-LC, 48 kHz, stereo, as `SampleStreams.aacFrame`.
    static let aac = RTPPayloadFormat(
        encoding: .aac(RTPPayloadFormat.AACPacking(config: [0x11, 0x90])),
        clockRate: 48_000,
        channels: 2
    )
    static let h264 = RTPPayloadFormat(encoding: .h264, clockRate: 90_000)

    let ssrc: UInt32
    let payloadType: UInt8
    var sequence: UInt16
    var timestamp: UInt32

    init(ssrc: UInt32, payloadType: UInt8, sequence: UInt16 = 1_000, timestamp: UInt32 = 0) {
        self.ssrc = ssrc
        self.payloadType = payloadType
        self.sequence = sequence
        self.timestamp = timestamp
    }

    mutating func packet(_ payload: [UInt8], marker: Bool) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(
            UInt8(0x80),
            payloadType | (marker ? 0x80 : 0),
            sequence,
            timestamp,
            ssrc
        )
        buffer.writeBytes(payload)
        sequence &+= 1
        return buffer
    }

    /// A picture in byte stream format: a packet for each NAL unit, or fragments of 600 bytes.
    mutating func picture(_ bytes: [UInt8], ticks: UInt32 = 3_000) -> [ByteBuffer] {
        var payloads: [[UInt8]] = []
        for unit in Self.units(bytes) {
            guard unit.count > 600, let header = unit.first else {
                payloads.append(unit)
                continue
            }
            let rest = Array(unit.dropFirst())
            for start in stride(from: 0, to: rest.count, by: 600) {
                let end = min(start + 600, rest.count)
                let flags: UInt8 = (start == 0 ? 0x80 : 0) | (end == rest.count ? 0x40 : 0)
                let fragment = rest[start..<end]
                payloads.append([header & 0xE0 | 28, flags | header & 0x1F] + fragment)
            }
        }
        let packets = payloads.indices.map { index in
            packet(payloads[index], marker: index == payloads.count - 1)
        }
        timestamp &+= ticks
        return packets
    }

    mutating func keyframe(ticks: UInt32 = 3_000) -> [ByteBuffer] {
        picture(SampleStreams.h264Keyframe(), ticks: ticks)
    }

    mutating func frame(ticks: UInt32 = 3_000) -> [ByteBuffer] {
        picture(SampleStreams.h264Picture(), ticks: ticks)
    }

    /// One frame of sound, in the packing of `aac`.
    mutating func sound(ticks: UInt32 = 1_024) -> ByteBuffer {
        let frame = Array(SampleStreams.aacFrame.dropFirst(7))
        let buffer = packet([0x00, 0x10, 0x00, UInt8(frame.count) << 3] + frame, marker: true)
        timestamp &+= ticks
        return buffer
    }

    /// A report that `timestamp` is now, at `seconds` of the sender's clock.
    func report(seconds: Double) -> RTCPPacket {
        let whole = UInt64(3_900_000_000 + seconds.rounded(.down))
        let fraction = UInt64((seconds - seconds.rounded(.down)) * 4_294_967_296)
        return .senderReport(
            RTCPSenderReport(
                ssrc: ssrc,
                ntp: whole << 32 | fraction,
                rtpTimestamp: timestamp,
                packets: 0,
                octets: 0
            )
        )
    }

    /// The NAL units of a picture in byte stream format.
    static func units(_ bytes: [UInt8]) -> [[UInt8]] {
        var units: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            if bytes[position...].starts(with: [0, 0, 0, 1]) {
                units.append([])
                position += 4
            } else {
                units[units.count - 1].append(bytes[position])
                position += 1
            }
        }
        return units
    }
}

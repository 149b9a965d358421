import ArgumentParser
import Foundation
import Ingestion
import Media
import NIOCore
import TestSupport

/// Sends a clip of HEVC over RTP, again and again, as several encoders would.
///
/// Each session has a socket and an SSRC of its own, and begins 40 ms after the one before: encoders
/// that are not told to do not send their keyframes together. Its packets are spread over the time of
/// their frame, five milliseconds at a time. They are made once; only the header is written for each.
struct RTPLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtp-load",
        abstract: "The senders of `rtp`.",
        shouldDisplay: false
    )

    @Option(help: "UDP port to send to.") var port: Int
    @Option(help: "Sessions of 50 Mbit/s at once.") var sessions: Int
    @Option(help: "Seconds to send.") var seconds: Int

    /// How many milliseconds of packets a session sends at a time.
    private static let burst = 5
    private static let stagger = 0.04

    func run() throws {
        var clip = try RTPClip(ofTransportStream: MirrorProcess.fixture("hevc-50m.ts"))
        let senders = (0..<sessions).map { _ in UDPSender(to: port) }
        var places = [RTPClip.Place](repeating: .init(), count: sessions)
        let start = ContinuousClock.now
        for millisecond in 0..<seconds * 1_000 {
            Thread.sleep(until: start + .milliseconds(millisecond))
            for session in stride(
                from: millisecond % Self.burst,
                to: sessions,
                by: Self.burst
            ) {
                while let packet = clip.next(
                    &places[session],
                    before: Double(millisecond) / 1_000 - Double(session) * Self.stagger,
                    ssrc: UInt32(0x5000 + session)
                ) {
                    senders[session].send(packet)
                }
            }
        }
    }
}

extension Thread {
    fileprivate static func sleep(until instant: ContinuousClock.Instant) {
        let pause = ContinuousClock.now.duration(to: instant) / .seconds(1)
        if pause > 0 { sleep(forTimeInterval: pause) }
    }
}

/// The packets of a clip.
struct RTPClip {
    /// Where a session is in the clip.
    struct Place {
        var sent: UInt32 = 0
        fileprivate var index = 0
        fileprivate var round = 0
    }

    private struct Packet {
        /// With 12 bytes in front for the header.
        var bytes: [UInt8]
        /// Of the picture.
        let timestamp: UInt32
        let marker: Bool
        /// When it is to be sent, in seconds from the beginning.
        var due: Double
    }

    private static let payloadLimit = 1_400
    private static let payloadType: UInt8 = 96

    private var packets: [Packet] = []
    private var seconds = 0.0

    /// Packets of the only picture track of a file.
    init(ofTransportStream path: String) throws {
        var pictures: [AccessUnit] = []
        var parameterSets: [[UInt8]] = []
        var session = IngestSession()
        let emit: (MediaEvent) -> Void = { event in
            switch event {
            case .tracks(let list):
                for case .video(let format) in list.tracks.map(\.format) {
                    parameterSets = Self.parameterSets(of: format.decoderConfiguration)
                }
            case .accessUnit(let unit):
                if unit.dts.timescale == MediaTime.mpegTimescale { pictures.append(unit) }
            case .discontinuity, .end:
                break
            }
        }
        let arrival = WallTime(microsecondsSinceEpoch: 0)
        try Data(contentsOf: URL(filePath: path)).withUnsafeBytes {
            session.receive($0, arrival: arrival, emit: emit)
        }
        session.finish(emit: emit)
        pictures = pictures.filter { $0.track == pictures.first?.track }
        guard let first = pictures.first?.dts.ticks, pictures.count > 1,
            let last = pictures.last?.dts.ticks
        else { throw ValidationError("\(path) has no pictures") }
        let frame = Double(last - first) / 90_000 / Double(pictures.count - 1)
        for (number, picture) in pictures.enumerated() {
            var units = picture.isKeyframe ? parameterSets : []
            units += Self.units(of: picture.payload)
            let payloads = units.flatMap(Self.payloads)
            for (index, payload) in payloads.enumerated() {
                packets.append(
                    Packet(
                        bytes: [UInt8](repeating: 0, count: 12) + payload,
                        timestamp: UInt32(truncatingIfNeeded: picture.pts.ticks),
                        marker: index == payloads.count - 1,
                        due: (Double(number) + Double(index) / Double(payloads.count)) * frame
                    )
                )
            }
        }
        seconds = frame * Double(pictures.count)
    }

    /// The next packet of a session, if it is due; its bytes hold until the next call.
    mutating func next(_ place: inout Place, before time: Double, ssrc: UInt32) -> [UInt8]? {
        let index = place.index
        let begin = Double(place.round) * seconds
        guard begin + packets[index].due <= time else { return nil }
        let elapsed = UInt32(truncatingIfNeeded: Int(begin * 90_000))
        let marker: UInt8 = packets[index].marker ? 0x80 : 0
        let timestamp = packets[index].timestamp &+ elapsed
        let sequence = UInt16(truncatingIfNeeded: place.sent)
        packets[index].bytes[0] = 0x80
        packets[index].bytes[1] = Self.payloadType | marker
        for byte in 0..<2 {
            packets[index].bytes[2 + byte] = UInt8(truncatingIfNeeded: sequence >> (8 - 8 * byte))
        }
        for byte in 0..<4 {
            let shift = 24 - 8 * byte
            packets[index].bytes[4 + byte] = UInt8(truncatingIfNeeded: timestamp >> shift)
            packets[index].bytes[8 + byte] = UInt8(truncatingIfNeeded: ssrc >> shift)
        }
        place.sent &+= 1
        place.index = index + 1 < packets.count ? index + 1 : 0
        if place.index == 0 { place.round += 1 }
        return packets[index].bytes
    }

    /// The NAL units behind their lengths of four bytes.
    private static func units(of payload: ByteBuffer) -> [[UInt8]] {
        var rest = payload
        var units: [[UInt8]] = []
        while let length = rest.readInteger(as: UInt32.self),
            let unit = rest.readBytes(length: Int(length))
        {
            units.append(unit)
        }
        return units
    }

    /// Those of an `hvcC`.
    private static func parameterSets(of configuration: ByteBuffer) -> [[UInt8]] {
        var rest = configuration
        rest.moveReaderIndex(forwardBy: min(22, rest.readableBytes))
        var sets: [[UInt8]] = []
        for _ in 0..<(rest.readInteger(as: UInt8.self) ?? 0) {
            _ = rest.readInteger(as: UInt8.self)
            for _ in 0..<(rest.readInteger(as: UInt16.self) ?? 0) {
                let length = rest.readInteger(as: UInt16.self) ?? 0
                sets.append(rest.readBytes(length: Int(length)) ?? [])
            }
        }
        return sets
    }

    /// A NAL unit as it is, or in fragments (RFC 7798, 4.4.3).
    private static func payloads(of unit: [UInt8]) -> [[UInt8]] {
        guard unit.count > payloadLimit else { return [unit] }
        let type = unit[0] >> 1 & 0x3F
        let header = [unit[0] & 0x81 | 49 << 1, unit[1]]
        let step = payloadLimit - 3
        return stride(from: 2, to: unit.count, by: step).map { start in
            let end = min(start + step, unit.count)
            let flags: UInt8 = (start == 2 ? 0x80 : 0) | (end == unit.count ? 0x40 : 0)
            return header + [flags | type] + unit[start..<end]
        }
    }
}

import Foundation
import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// What comes out of packets of GStreamer, of ffmpeg and of our own is what went in, byte for byte.
@Suite(.timeLimit(.minutes(5))) struct RTPPayloadTests {
    // MARK: Pictures

    @Test(arguments: [
        ("h264", "rtph264pay config-interval=-1"),
        ("h264", "rtph264pay config-interval=-1 aggregate-mode=zero-latency mtu=400"),
        ("h264", "rtph264pay config-interval=-1 aggregate-mode=max-stap"),
        ("hevc", "rtph265pay config-interval=-1"),
        ("hevc", "rtph265pay config-interval=-1 aggregate-mode=zero-latency mtu=400"),
        ("hevc", "rtph265pay config-interval=-1 aggregate-mode=max"),
    ])
    func picturesOfGStreamerArriveAsTheyWere(name: String, payloader: String) async throws {
        let file = MirrorProcess.fixture("\(name).mkv")
        let parser = name == "h264" ? "h264parse" : "h265parse"
        let packets = try await RTPPackets.gstreamer(
            "filesrc location=\(file) ! matroskademux ! \(parser) ! \(payloader) pt=96"
        )
        var medium = MediaDescription(kind: .video, port: 0)
        medium.payloads[96] = RTPPayloadFormat(
            encoding: name == "h264" ? .h264 : .hevc(hasDONL: false),
            clockRate: 90_000
        )
        let recorder = Self.receive(packets, [medium])
        try await Self.expectPictures(of: recorder, toBeThoseOf: file)
    }

    @Test(arguments: ["h264", "hevc"])
    func picturesOfFFmpegArriveAsTheyWere(name: String) async throws {
        let file = MirrorProcess.fixture("\(name).mkv")
        let sent = try await RTPPackets.ffmpeg(file, ["-map", "0:v"], seconds: 3)
        let recorder = Self.receive(sent.packets, sent.media)
        try await Self.expectPictures(of: recorder, toBeThoseOf: file, atLeast: 60)
    }

    private static func expectPictures(
        of recorder: RTPRecorder,
        toBeThoseOf file: String,
        atLeast count: Int? = nil
    ) async throws {
        let codec = recorder.trackLists.first?.video?.video?.codec
        let sent = try await FilePackets(file, "0:v").packets.map(pictureUnits)
        #expect(codec == (file.contains("h264") ? .h264 : .hevc))
        let received = recorder.pictures.map { pictureUnits(Array($0.payload.readableBytesView)) }
        #expect(received.count >= count ?? sent.count, "\(received.count) of \(sent.count)")
        let differences = zip(received, sent).enumerated().filter { $0.element.0 != $0.element.1 }
        #expect(differences.isEmpty, "\(differences.map(\.offset).prefix(10))")
        #expect(recorder.events.brokenPromise == nil)
        #expect(recorder.discontinuities.isEmpty)

        /// NAL units behind their lengths, but for what is not part of a picture: delimiters, parameter
        /// sets and filler.
        func pictureUnits(_ bytes: [UInt8]) -> [[UInt8]] {
            var units: [[UInt8]] = []
            var position = 0
            while position + 4 <= bytes.count {
                let size = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
                let unit = Array(bytes[(position + 4)...].prefix(size))
                position += 4 + size
                guard let header = unit.first else { continue }
                let isOther =
                    codec == .h264
                    ? [7, 8, 9, 12].contains(header & 0x1F)
                    : [32, 33, 34, 35, 38].contains(header >> 1 & 0x3F)
                if !isOther { units.append(unit) }
            }
            return units
        }
    }

    @Test(arguments: 0..<20)
    func av1ArrivesAsItWas(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let clip = try IVFReader(
            [UInt8](Data(contentsOf: URL(filePath: MirrorProcess.fixture("av1.ivf"))))
        )
        let sender = AV1Payloads(
            limit: Int.random(in: 40...1_400, using: &random),
            countsElements: seed % 2 == 0
        )
        var source = RTPTestSource(ssrc: 1, payloadType: 98)
        var medium = MediaDescription(kind: .video, port: 0)
        medium.payloads[98] = RTPPayloadFormat(encoding: .av1, clockRate: 90_000)
        var recorder = RTPRecorder(media: [medium])
        for (index, frame) in clip.frames.enumerated() {
            source.timestamp = UInt32(truncatingIfNeeded: clip.mpegTicks(of: frame))
            let payloads = sender.payloads(of: frame.bytes)
            for (number, payload) in payloads.enumerated() {
                #expect(recorder.pictures.count == index)
                let packet = source.packet(payload, marker: number == payloads.count - 1)
                recorder.feed(packet, at: index * 33)
            }
        }
        recorder.finish(at: clip.frames.count * 33)
        #expect(recorder.trackLists.first?.video?.video?.codec == .av1)
        // The sequence header may be said elsewhere.
        func units(_ bytes: [UInt8]) -> [[UInt8]] {
            AV1Payloads.units(of: bytes).filter { $0[0] >> 3 & 15 != 1 }
        }
        let received = recorder.pictures.map { units(Array($0.payload.readableBytesView)) }
        let isSame = received == clip.frames.map { units($0.bytes) }
        #expect(isSame, "\(received.count) of \(clip.frames.count)")
        #expect(recorder.events.brokenPromise == nil)
    }

    // MARK: Sound

    @Test(arguments: ["rtpmp4gpay", "rtpmp4apay", "rtpopuspay"])
    func soundOfGStreamerArrivesAsItWas(payloader: String) async throws {
        let isOpus = payloader == "rtpopuspay"
        let file = try await Self.sound(isOpus ? "libopus" : nil)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let parser = isOpus ? "opusparse" : "aacparse"
        let packets = try await RTPPackets.gstreamer(
            "filesrc location=\(file) ! matroskademux ! \(parser) ! \(payloader) pt=97"
        )
        var medium = MediaDescription(kind: .audio, port: 0)
        medium.payloads[97] = RTPPayloadFormat(
            encoding: isOpus
                ? .opus
                : payloader == "rtpmp4gpay"
                    ? .aac(RTPPayloadFormat.AACPacking(config: [0x11, 0x90]))
                    : .latm(config: [0x40, 0x00, 0x23, 0x20], isConfigInBand: false),
            clockRate: 48_000,
            channels: 2
        )
        try await Self.expectSound(of: Self.receive(packets, [medium]), toBeThatOf: file, 900)
    }

    @Test(arguments: [(nil, []), (nil, ["-rtpflags", "latm"]), ("libopus", [])])
    func soundOfFFmpegArrivesAsItWas(encoder: String?, options: [String]) async throws {
        let file = try await Self.sound(encoder)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let sent = try await RTPPackets.ffmpeg(file, options, seconds: 3)
        try await Self.expectSound(
            of: Self.receive(sent.packets, sent.media),
            toBeThatOf: file,
            130
        )
    }

    /// A file of sound alone; `nil`: of AAC as it was.
    private static func sound(_ encoder: String?) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).mka").path
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-i", MirrorProcess.fixture("h264.mkv"), "-map", "0:a", "-c:a",
                encoder ?? "copy", file,
            ]
        )
        return file
    }

    private static func expectSound(
        of recorder: RTPRecorder,
        toBeThatOf file: String,
        _ count: Int
    ) async throws {
        let sent = try await FilePackets(file, "0:a").packets
        let received = recorder.units.map { Array($0.payload.readableBytesView) }
        #expect(received.count >= count, "\(received.count) of \(sent.count)")
        let isSame = received == Array(sent.prefix(received.count))
        #expect(isSame)
        #expect(recorder.discontinuities.isEmpty)
    }

    private static func receive(_ packets: [[UInt8]], _ media: [MediaDescription]) -> RTPRecorder {
        var recorder = RTPRecorder(media: media)
        for packet in packets { recorder.feed(ByteBuffer(bytes: packet), at: 0) }
        recorder.finish(at: 1)
        return recorder
    }
}

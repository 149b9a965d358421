import Foundation
import Media
import NIOCore
import Processing
import TestSupport
import Testing

/// ffmpeg hears what was encoded.
@Suite struct SoundEncoderTests {
    private static let track = Track.ID(257)

    private static func list(_ source: LinearPCM) -> TrackList {
        TrackList([Track(id: track, format: .audio(source.format), language: "eng")])
    }

    /// Access units of a signal, whose times have a hole of a second before `holeAt`.
    private static func units(
        _ source: LinearPCM,
        count: Int,
        holeAt: Int = .max,
        _ signal: (Int) -> Double
    ) -> [AccessUnit] {
        (0..<count).map { index in
            var payload = ByteBuffer()
            for sample in 0..<LinearPCM.unitSamples {
                let value = signal(index * LinearPCM.unitSamples + sample)
                for channel in 0..<source.channels {
                    // The third and later channels are loud, and not to be heard.
                    let level = channel < 2 ? value : 0.9
                    let scaled = Int32(level * Double(1 << (source.bits - 1)))
                    if source.bits == 16 {
                        payload.writeInteger(Int16(clamping: scaled))
                    } else {
                        payload.writeBytes([
                            UInt8(truncatingIfNeeded: scaled >> 16),
                            UInt8(truncatingIfNeeded: scaled >> 8),
                            UInt8(truncatingIfNeeded: scaled),
                        ])
                    }
                }
            }
            let ticks = Int64(index * LinearPCM.unitSamples) * 90_000 / Int64(source.sampleRate)
            let time = MediaTime(mpegTicks: ticks + (index >= holeAt ? 90_000 : 0))
            return AccessUnit(
                track: track,
                pts: time,
                dts: time,
                payload: payload,
                randomAccess: .closed,
                arrival: WallTime(microsecondsSinceEpoch: Int64(index))
            )
        }
    }

    private static func sound(_ events: [MediaEvent]) -> [AccessUnit] {
        events.compactMap { if case .accessUnit(let unit) = $0 { unit } else { nil } }
    }

    /// Silence, a noise from an odd sample on, silence: the place tells where each sample went.
    private static func burst(_ sample: Int) -> Double {
        guard (20_011..<26_000).contains(sample) else { return 0 }
        var random = SeededRandom(seed: UInt64(sample / 6))
        return Double(Int64(bitPattern: random.next()) >> 40) / Double(1 << 24) * 0.8
    }

    @Test(arguments: [(16, 2, 48_000), (24, 2, 48_000), (24, 8, 48_000), (24, 1, 44_100)])
    func soundIsWhereItWasToTheSample(bits: Int, channels: Int, rate: Int) async throws {
        let source = try #require(LinearPCM(bits: bits, sampleRate: rate, channels: channels))
        let units = Self.units(source, count: 40, Self.burst)
        var encoder = SoundEncoder()
        let announced = encoder.encode(.tracks(Self.list(source)))
        guard case .tracks(let list)? = announced.first, let format = list.audio.first?.audio else {
            Issue.record("no track")
            return
        }
        #expect(format.codec == .aac && format.sampleRate == rate)
        #expect(format.codecString == "mp4a.40.2" && format.samplesPerAccessUnit == 1_024)
        #expect(format.channels == min(channels, 2) && list.audio.first?.language == "eng")
        var coded = Self.sound(units.flatMap { encoder.encode(.accessUnit($0)) })
        #expect(coded.count == 38)
        coded += Self.sound(encoder.encode(.discontinuity(.timestampJump)))
        #expect(
            coded.map(\.pts) == units.map(\.pts) && coded.map(\.arrival) == units.map(\.arrival)
        )

        let heard = try await Self.decode(coded, format)
        #expect(heard.count >= 39 * 1_024)
        func match(_ lag: Int) -> Double {
            (19_500..<26_500).reduce(0) { $0 + Self.burst($1) * Double(heard[$1 + lag]) }
        }
        let energy = (19_500..<26_500).reduce(0) { $0 + Self.burst($1) * Self.burst($1) }
        let best = (-1_100...1_100).max { match($0) < match($1) }
        #expect(best == 0)
        #expect(match(0) > 0.7 * energy)
    }

    @Test func timesAreThoseOfTheSourceAcrossAHoleAndAnEnd() throws {
        let source = try #require(LinearPCM(bits: 16, sampleRate: 48_000, channels: 2))
        let units = Self.units(source, count: 30, holeAt: 11) { _ in 0 }
        var encoder = SoundEncoder()
        var out = encoder.encode(.tracks(Self.list(source)))
        out += units[..<15].flatMap { encoder.encode(.accessUnit($0)) }
        out += encoder.encode(.discontinuity(.formatChange))
        out += encoder.encode(.tracks(Self.list(source)))
        out += units[15...].flatMap { encoder.encode(.accessUnit($0)) }
        out += encoder.encode(.end(.idle))
        #expect(Self.sound(out).map(\.pts) == units.map(\.pts))
        let end = out.firstIndex { if case .discontinuity = $0 { true } else { false } }
        #expect(end == 16)
        if case .end? = out.last {} else { Issue.record("the end is not last") }
    }

    @Test func aTrackThatChangesOrGoesLosesNothing() throws {
        let before = try #require(LinearPCM(bits: 16, sampleRate: 48_000, channels: 2))
        let after = try #require(LinearPCM(bits: 24, sampleRate: 44_100, channels: 1))
        var encoder = SoundEncoder()
        var out = encoder.encode(.tracks(Self.list(before)))
        let first = Self.units(before, count: 10) { _ in 0 }
        out += first.flatMap { encoder.encode(.accessUnit($0)) }
        // The same again changes nothing: two are still on their way.
        #expect(encoder.encode(.tracks(Self.list(before))).count == 1)
        let change = encoder.encode(.tracks(Self.list(after)))
        #expect(change.count == 3)
        guard case .tracks(let list)? = change.last else {
            Issue.record("the tracks are not last")
            return
        }
        #expect(list.audio.first?.audio?.sampleRate == 44_100)
        out += change
        let second = Self.units(after, count: 10) { _ in 0 }
        out += second.flatMap { encoder.encode(.accessUnit($0)) }
        out += encoder.encode(.tracks(TrackList([])))
        #expect(Self.sound(out).map(\.pts) == (first + second).map(\.pts))
    }

    @Test func unitsOfAnotherLengthAreLeftOut() throws {
        let source = try #require(LinearPCM(bits: 24, sampleRate: 48_000, channels: 255))
        var encoder = SoundEncoder()
        _ = encoder.encode(.tracks(Self.list(source)))
        var units = Self.units(source, count: 8) { _ in 0 }
        units[2].payload = ByteBuffer()
        units[5].payload.writeInteger(UInt8(0))
        let out = units.flatMap { encoder.encode(.accessUnit($0)) } + encoder.encode(.end(.idle))
        #expect(Self.sound(out).map(\.pts) == [0, 1, 3, 4, 6, 7].map { units[$0].pts })
    }

    @Test func whatCannotBeEncodedAndAllElseGoesThrough() throws {
        let source = try #require(LinearPCM(bits: 24, sampleRate: 192_000, channels: 2))
        var encoder = SoundEncoder()
        guard case .tracks(let list)? = encoder.encode(.tracks(Self.list(source))).first else {
            Issue.record("no tracks")
            return
        }
        #expect(list == Self.list(source))
        let units = Self.units(source, count: 3) { _ in 0 }
        #expect(Self.sound(units.flatMap { encoder.encode(.accessUnit($0)) }).count == 3)
    }

    /// What ffmpeg makes of the frames, of the first channel.
    private static func decode(_ units: [AccessUnit], _ format: AudioFormat) async throws -> [Float]
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let rateIndex: UInt16 = format.sampleRate == 48_000 ? 3 : 4
        var stream = Data()
        for unit in units {
            // ADTS: AAC-LC, no CRC, one block.
            let size = UInt16(unit.payload.readableBytes + 7)
            let channels = UInt16(format.channels)
            stream += [0xFF, 0xF1, UInt8(1 << 6 | rateIndex << 2 | channels >> 2)]
            stream += [
                UInt8(truncatingIfNeeded: (channels & 3) << 6 | size >> 11),
                UInt8(truncatingIfNeeded: size >> 3), UInt8(truncatingIfNeeded: size << 5) | 0x1F,
                0xFC,
            ]
            stream += Data(unit.payload.readableBytesView)
        }
        let coded = folder.appending(path: "sound.aac")
        let heard = folder.appending(path: "sound.raw")
        try stream.write(to: coded)
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "aac", "-i", coded.path, "-af", "pan=mono|c0=c0", "-f",
                "f32le",
                heard.path,
            ]
        )
        let data = try Data(contentsOf: heard)
        return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
}

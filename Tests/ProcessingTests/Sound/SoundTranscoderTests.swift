import Foundation
import Media
import NIOCore
import Packaging
import Processing
import TestSupport
import Testing

/// ffmpeg hears what was encoded again, where it was.
@Suite struct SoundTranscoderTests {
    private static let aac = format(.aac, 128_000)
    private static let opus = format(.opus, 96_000)

    private static func format(
        _ codec: AudioFormat.Codec,
        _ rate: Int?,
        channels: Int = 2
    ) -> SoundOutputFormat {
        var format = SoundOutputFormat()
        format.codec = codec
        format.bitsPerSecond = rate
        format.channels = channels
        return format
    }

    /// A click every second, which begins within a sample: half a period of 4 kHz, 12 times.
    private static func clicks(seconds: Int, rate: Int) -> String {
        "aevalsrc='0.8*sin(2*PI*4000*t)*lt(mod(t,1),0.0015)*gt(t,0.5)':s=\(rate):d=\(seconds)"
    }

    private static let framings: [(AudioBitstreamParser.Framing, [String], Int)] = [
        (.adts, ["-c:a", "aac", "-b:a", "192k", "-ac", "2", "-f", "adts"], 48_000),
        (.adts, ["-c:a", "aac", "-b:a", "192k", "-ac", "2", "-f", "adts"], 44_100),
        (.ac3, ["-c:a", "ac3", "-b:a", "448k", "-ac", "6", "-f", "ac3"], 48_000),
        (.eac3, ["-c:a", "eac3", "-b:a", "448k", "-ac", "6", "-f", "eac3"], 48_000),
        (
            .mpegAudio,
            [
                "-c:a", "libmp3lame", "-b:a", "192k", "-ac", "2", "-f", "mp3", "-write_xing", "0",
                "-id3v2_version", "0",
            ], 48_000
        ),
    ]

    /// The delays of a decoder, a resampler and two encoders, all made good for.
    @Test(arguments: 0..<framings.count)
    func clicksAreWhereTheyWere(_ index: Int) async throws {
        let (framing, encoder, rate) = Self.framings[index]
        let clip = try await SoundClip(
            Self.clicks(seconds: 20, rate: rate),
            framing: framing,
            encoder: encoder,
            start: 172_800
        )
        let run = await SoundRun(clip.events, [Self.aac, Self.opus])
        #expect(run.statistics.undecodableFrames == 0 && run.statistics.lostFrames == 0)
        let source = try await run.heard("audio1")
        for id in ["audio1-aac-128k", "audio1-opus-96k"] {
            let heard = try await run.heard(id)
            #expect(abs(heard.start - source.start) < 0.03, "\(id)")
            #expect(abs(heard.start + heard.duration - source.start - source.duration) < 0.03)
            // Sound of one channel is in the centre of six.
            let centre = source.channels.count == 6 ? 2 : 0
            // Half of what each has of the click, so that levels do not count.
            let peaks = [source.channels[centre], heard.channels[0]].map { samples in
                samples.reduce(0) { max($0, abs($1)) } / 2
            }
            for second in [1, 2, 10, 19] {
                let time = source.start + Double(second) - 0.5
                let there = try #require(source.onset(of: peaks[0], after: time, in: centre))
                let here = try #require(heard.onset(of: peaks[1], after: time))
                // The codecs' pre-echo moves the edge by a part of a millisecond, not by a frame.
                #expect(abs(here - there) < 0.001, "\(id), \(second) s: \(here - there)")
            }
        }
    }

    /// To the sample: what goes in and comes out at the same rate is laid over one another.
    @Test(arguments: [0, 4])
    func soundIsWhereItWasToTheSample(_ index: Int) async throws {
        let (framing, encoder, rate) = Self.framings[index]
        let clip = try await SoundClip(
            "anoisesrc=d=6:c=pink:r=\(rate):a=0.5:s=1,lowpass=f=6000",
            framing: framing,
            encoder: encoder
        )
        let run = await SoundRun(clip.events, [Self.aac, Self.opus])
        let source = try await run.heard("audio1")
        for id in ["audio1-aac-128k", "audio1-opus-96k"] {
            let heard = try await run.heard(id)
            let shift = Int(((heard.start - source.start) * Double(rate)).rounded())
            let (there, here) = (source.channels[0], heard.channels[0])
            func match(_ lag: Int) -> Float {
                var sum: Float = 0
                for place in 120_000..<128_000 { sum += there[place] * here[place - shift + lag] }
                return sum
            }
            let energy = there[120_000..<128_000].reduce(0) { $0 + $1 * $1 }
            let matches = (-1_100...1_100).map { (lag: $0, match: match($0)) }
            let best = matches.max { $0.match < $1.match }?.lag
            #expect(best == 0, "\(id)")
            #expect(match(0) > 0.8 * energy, "\(id)")
        }
    }

    /// Samples are counted: what is off at the end is what was off at the beginning.
    @Test func anotherRateDoesNotDrift() async throws {
        let clip = try await SoundClip(
            Self.clicks(seconds: 60, rate: 44_100),
            framing: .adts,
            encoder: ["-c:a", "aac", "-b:a", "96k", "-ac", "1", "-f", "adts"]
        )
        let run = await SoundRun(clip.events, [Self.format(.opus, nil, channels: 1)])
        let source = try await run.heard("audio1")
        let heard = try await run.heard("audio1-opus-48k-mono")
        #expect(run.statistics.lostFrames == 0)
        let peaks = [source, heard].map { $0.channels[0].reduce(0) { max($0, abs($1)) } / 2 }
        let errors = try [2.0, 58.0].map { second in
            let time = source.start + second - 0.5
            let there = try #require(source.onset(of: peaks[0], after: time))
            return try #require(heard.onset(of: peaks[1], after: time)) - there
        }
        #expect(abs(errors[0]) < 0.001)
        // Both clicks begin at the same place within a sample of each rate, but not within a frame.
        #expect(abs(errors[1] - errors[0]) < 0.000_3, "\(errors)")
        let longer = heard.duration - source.duration
        #expect(longer > -0.02 && longer < 0.05, "\(longer)")
    }

    /// ITU-R BS.775: centre and surrounds 3 dB down, no low-frequency effects.
    @Test func surroundIsMixedToStereo() async throws {
        let tones = [300, 500, 700, 60, 1_100, 1_300]
        let source = tones.map { "0.1*sin(2*PI*\($0)*t)" }.joined(separator: "|")
        let clip = try await SoundClip(
            "aevalsrc='\(source)':c=5.1:s=48000:d=4",
            framing: .ac3,
            encoder: ["-c:a", "ac3", "-b:a", "640k", "-f", "ac3"]
        )
        #expect(clip.track.audio?.channels == 6)
        let run = await SoundRun(clip.events, [Self.aac, Self.format(.opus, nil, channels: 1)])
        let heard = try await run.heard("audio1-aac-128k")
        #expect(heard.channels.count == 2)
        #expect(run.rendition("audio1-aac-128k")?.soundGroup == "aac-128k")
        #expect(run.rendition("audio1-aac-128k")?.track.language == "eng")
        let levels = (0...1).map { channel in
            tones.map { heard.level(of: Double($0), in: channel) }
        }
        let down = 0.1 * 0.5.squareRoot()
        for (level, expected) in zip(levels[0], [0.1, 0, down, 0, down, 0]) {
            #expect(abs(level - expected) < 0.006, "\(levels)")
        }
        for (level, expected) in zip(levels[1], [0, 0.1, down, 0, 0, down]) {
            #expect(abs(level - expected) < 0.006, "\(levels)")
        }
        #expect(try await run.heard("audio1-opus-48k-mono").channels.count == 1)
    }

    /// The same segments under the same numbers, and every part as long as the rendition says.
    @Test func segmentsAreThoseOfTheSource() async throws {
        let clip = try await SoundClip(
            Self.clicks(seconds: 14, rate: 44_100),
            framing: .adts,
            encoder: Self.framings[1].1
        )
        var events = clip.events
        // The source loses time, and begins a timeline.
        let later = clip.units.dropFirst(300).map { unit in
            var unit = unit
            unit.pts = MediaTime(mpegTicks: unit.pts.ticks + 900_000)
            unit.dts = unit.pts
            return MediaEvent.accessUnit(unit)
        }
        events.replaceSubrange(301..., with: [.discontinuity(.timestampJump)] + later)
        let run = await SoundRun(events, [Self.aac, Self.opus])
        let source = run.segments(of: "audio1")
        #expect(source.map(\.isDiscontinuity).contains(true) && source.count > 5)
        for id in ["audio1-aac-128k", "audio1-opus-96k"] {
            let segments = run.segments(of: id)
            #expect(segments.map(\.mediaSequence) == source.map(\.mediaSequence))
            #expect(segments.map(\.isDiscontinuity) == source.map(\.isDiscontinuity))
            for (segment, source) in zip(segments, source) {
                let apart = segment.programDateTime.duration(since: source.programDateTime)
                #expect(abs(apart / .milliseconds(1)) < 24, "\(id) \(apart)")
            }
            let target = try #require(run.rendition(id)?.partTarget)
            #expect(run.parts(of: id).allSatisfy { $0.duration <= target })
            let length = run.parts(of: id).reduce(0) { $0 + $1.duration.seconds }
            let whole = run.parts(of: "audio1").reduce(0) { $0 + $1.duration.seconds }
            #expect(abs(length - whole) < 0.06, "\(id)")
        }
    }

    /// Any bytes: no crash, and the sound that cannot be decoded is silence as long.
    @Test(arguments: AudioFormat.Codec.allCases.filter { $0 != .linearPCM })
    func damageIsSilence(_ codec: AudioFormat.Codec) async throws {
        let framings: [AudioFormat.Codec: Int] = [.aac: 0, .ac3: 2, .eac3: 3, .mp3: 4]
        var track: Track
        var units: [AccessUnit]
        if let index = framings[codec] {
            let (framing, encoder, rate) = Self.framings[index]
            let clip = try await SoundClip(
                Self.clicks(seconds: 6, rate: rate),
                framing: framing,
                encoder: encoder
            )
            (track, units) = (clip.track, clip.units)
        } else {
            let format = try #require(
                AudioPacketParser.opusFormat(channels: 2, samplesPerPacket: 960)
            )
            track = Track(id: Track.ID(1), format: .audio(format))
            units = (0..<300).map { index in
                let time = MediaTime(mpegTicks: 900_000 + Int64(index) * 1_800)
                return AccessUnit(
                    track: track.id,
                    pts: time,
                    dts: time,
                    payload: ByteBuffer(bytes: [0xFC]),
                    randomAccess: .closed,
                    arrival: WallTime(microsecondsSinceEpoch: 0)
                )
            }
        }
        var random = SeededRandom(seed: 7)
        for index in units.indices where index > 20 {
            switch random.next() % 4 {
            case 0:
                let count = Int(random.next() % 2_000)
                units[index].payload = ByteBuffer(
                    bytes: (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                )
            case 1:
                for _ in 0..<8 where units[index].payload.readableBytes > 0 {
                    let place = Int(random.next() % UInt64(units[index].payload.readableBytes))
                    units[index].payload.setInteger(
                        UInt8(truncatingIfNeeded: random.next()),
                        at: units[index].payload.readerIndex + place
                    )
                }
            default: break
            }
        }
        let run = await SoundRun(
            [.tracks(TrackList([track]))] + units.map { .accessUnit($0) },
            [Self.aac, Self.opus]
        )
        #expect(run.statistics.undecodableFrames > 0 || codec == .opus)
        let whole = run.parts(of: "audio1").reduce(0) { $0 + $1.duration.seconds }
        #expect(whole > 5)
        for id in ["audio1-aac-128k", "audio1-opus-96k"] {
            let length = run.parts(of: id).reduce(0) { $0 + $1.duration.seconds }
            #expect(abs(length - whole) < 0.03, "\(id)")
        }
    }
}

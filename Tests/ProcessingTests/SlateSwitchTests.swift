import Media
import NIOCore
import Processing
import TestSupport
import Testing

@Suite struct SlateSwitchTests {
    private static let begin = WallTime(microsecondsSinceEpoch: 1_800_000_000_000_000)
    private static let terms = SlateSwitch.Terms(after: .seconds(1), limit: .seconds(60))
    private static let picture = Track.ID(256)
    private static let sound = Track.ID(257)

    private static func video(_ byte: UInt8) -> VideoFormat {
        VideoFormat.sample(width: 64, height: 64, decoderConfiguration: ByteBuffer(bytes: [byte]))
    }

    private static let audio = AudioFormat.sample
    private static let stream = TrackList([
        Track(id: picture, format: .video(video(1))), Track(id: sound, format: .audio(audio)),
    ])

    private static func slate(for tracks: TrackList = stream) -> ReadySlate {
        let pictures = (0..<25).map { index in
            SlateLoop.Picture(
                payload: ByteBuffer(bytes: [0xEE]),
                randomAccess: index == 0 ? .closed : .none,
                isDisposable: false
            )
        }
        let rate = Rational(25, 1)
        return ReadySlate(
            stream: tracks,
            loop: rate.map { SlateLoop(format: video(9), frameRate: $0, pictures: pictures) },
            silence: [sound: Silence(format: audio, payload: ByteBuffer(bytes: [0xFF]))]
        )
    }

    private static func time(_ milliseconds: Int) -> WallTime {
        begin.advanced(by: .milliseconds(milliseconds))
    }

    private static func unit(
        _ track: Track.ID,
        at milliseconds: Int,
        isKeyframe: Bool = false,
        arrival: Int? = nil
    ) -> MediaEvent {
        let time = MediaTime(mpegTicks: Int64(milliseconds * 90))
        return .accessUnit(
            AccessUnit(
                track: track,
                pts: time,
                dts: time,
                payload: ByteBuffer(bytes: [0x11]),
                randomAccess: isKeyframe || track == sound ? .closed : .none,
                arrival: Self.time(arrival ?? milliseconds)
            )
        )
    }

    /// A stream that was on air for a second, with a slate ready.
    private static func running() -> SlateSwitch {
        var subject = SlateSwitch()
        _ = subject.receive([.tracks(stream), unit(picture, at: 0, isKeyframe: true)])
        for time in stride(from: 40, through: 1_000, by: 40) {
            _ = subject.receive([unit(picture, at: time), unit(sound, at: time)])
        }
        subject.prepare(slate())
        return subject
    }

    private static func words(_ events: [MediaEvent]) -> [String] {
        events.map { event in
            switch event {
            case .tracks(let list):
                "tracks \(list.video?.video?.decoderConfiguration.getInteger(at: 0, as: UInt8.self) ?? 0)"
            case .accessUnit(let unit):
                (unit.track == picture ? "picture" : "sound") + (unit.isKeyframe ? "!" : "")
                    + " \(unit.pts.ticks / 90)"
            case .discontinuity(let reason): reason.rawValue
            case .end(let reason): "end \(reason.rawValue)"
            }
        }
    }

    @Test func inputsPassAsTheyAre() {
        var subject = SlateSwitch()
        let events: [MediaEvent] = [
            .tracks(Self.stream), Self.unit(Self.picture, at: 0), .end(.idle),
        ]
        #expect(Self.words(subject.receive(events)) == Self.words(events))
        #expect(subject.advance(to: Self.time(10_000), Self.terms).isEmpty)
        #expect(subject.phase == .inputs)
    }

    @Test func theSlateBeginsWhereTheInputsStopped() {
        var subject = Self.running()
        #expect(subject.advance(to: Self.time(1_999), Self.terms).isEmpty)
        let events = subject.advance(to: Self.time(2_000), Self.terms)
        #expect(subject.phase == .slate)
        #expect(subject.shownSince == Self.time(2_000))
        #expect(
            Self.words(events).prefix(4) == [
                "publisher_change", "tracks 9", "picture! 1040", "sound! 1040",
            ]
        )
        // The second that was waited is made good at once.
        #expect(Self.words(events).contains("picture 2000"))
        #expect(
            Self.words(subject.advance(to: Self.time(2_041), Self.terms)).contains("picture! 2040")
        )
    }

    @Test func anEndOfTheInputsIsHandedOnAndTheSlateFollows() {
        var subject = Self.running()
        #expect(Self.words(subject.receive([.end(.disconnected)])) == ["end disconnected"])
        #expect(!subject.advance(to: Self.time(2_000), Self.terms).isEmpty)
    }

    @Test func anInputComesBackWithAKeyframe() {
        var subject = Self.running()
        _ = subject.advance(to: Self.time(2_000), Self.terms)
        #expect(
            subject.receive([
                .discontinuity(.publisherChange), .tracks(Self.stream),
                Self.unit(Self.picture, at: 5_000), Self.unit(Self.sound, at: 5_000),
            ]).isEmpty
        )
        #expect(subject.phase == .slate)
        let events = subject.receive([
            Self.unit(Self.sound, at: 5_020), Self.unit(Self.sound, at: 5_060),
            Self.unit(Self.picture, at: 5_040, isKeyframe: true),
            Self.unit(Self.picture, at: 5_080),
        ])
        #expect(
            Self.words(events) == [
                "publisher_change", "tracks 1", "sound! 5060", "picture! 5040", "picture 5080",
            ]
        )
        #expect(subject.phase == .inputs)
        #expect(subject.shownSince == nil)
        #expect(subject.advance(to: Self.time(6_000), Self.terms).isEmpty)
    }

    @Test func anInputWithOtherTracksNeedsAnotherSlate() {
        var subject = Self.running()
        _ = subject.advance(to: Self.time(2_000), Self.terms)
        let other = TrackList([Track(id: Self.picture, format: .video(Self.video(2)))])
        let events = subject.receive([
            .tracks(other), Self.unit(Self.picture, at: 100, isKeyframe: true, arrival: 3_000),
        ])
        #expect(Self.words(events) == ["publisher_change", "tracks 2", "picture! 100"])
        #expect(subject.model?.tracks == other)
        #expect(!subject.isReady)
        #expect(subject.advance(to: Self.time(9_000), Self.terms).isEmpty)
        subject.prepare(Self.slate(for: other))
        // Encoded late: what it could have shown before is not all made good.
        let late = Self.words(subject.advance(to: Self.time(60_000), Self.terms))
        #expect(late.prefix(3) == ["publisher_change", "tracks 9", "picture! 140"])
        #expect(late.count < 10)
    }

    @Test func theSlateEndsWhenItsTimeIsOver() {
        var subject = Self.running()
        _ = subject.advance(to: Self.time(2_000), Self.terms)
        _ = subject.advance(to: Self.time(61_999), Self.terms)
        #expect(subject.phase == .slate)
        #expect(Self.words(subject.advance(to: Self.time(62_000), Self.terms)) == ["end idle"])
        #expect(subject.phase == .over)
        #expect(subject.advance(to: Self.time(70_000), Self.terms).isEmpty)
        let events = subject.receive([Self.unit(Self.picture, at: 0, isKeyframe: true)])
        #expect(Self.words(events) == ["publisher_change", "tracks 1", "picture! 0"])
    }

    @Test func aSlateThatIsNotWantedAnyMoreEnds() {
        var subject = Self.running()
        #expect(subject.advance(to: Self.time(2_000), nil).isEmpty)
        _ = subject.advance(to: Self.time(2_000), Self.terms)
        #expect(Self.words(subject.advance(to: Self.time(2_100), nil)) == ["end idle"])
    }

    @Test func soundAloneComesBackWithAnySound() {
        let tracks = TrackList([Track(id: Self.sound, format: .audio(Self.audio))])
        var subject = SlateSwitch()
        _ = subject.receive([.tracks(tracks), Self.unit(Self.sound, at: 0)])
        #expect(subject.model?.samples[Self.sound] == ByteBuffer(bytes: [0x11]))
        subject.prepare(
            ReadySlate(
                stream: tracks,
                loop: nil,
                silence: [
                    Self.sound: Silence(format: Self.audio, payload: ByteBuffer(bytes: [0xFF]))
                ]
            )
        )
        #expect(subject.advance(to: Self.time(1_500), Self.terms).count > 50)
        #expect(
            Self.words(subject.receive([Self.unit(Self.sound, at: 9_000)]))
                == ["publisher_change", "tracks 0", "sound! 9000"]
        )
    }

    @Test func aTimelineThatJumpedBackIsGoneOnWith() {
        var subject = Self.running()
        _ = subject.receive([
            .discontinuity(.timestampJump),
            Self.unit(Self.picture, at: 200, isKeyframe: true, arrival: 1_040),
        ])
        let events = Self.words(subject.advance(to: Self.time(2_040), Self.terms))
        #expect(events.dropFirst(2).first == "picture! 240")
    }
}

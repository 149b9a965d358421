import Media
import NIOCore
import Processing
import Testing

/// A ladder is made for its source: never larger, never out of shape.
@Suite struct LadderPlanTests {
    private static func source(
        _ width: Int,
        _ height: Int,
        _ change: (inout VideoFormat) -> Void = { _ in }
    ) -> VideoFormat {
        var format = VideoFormat(
            codec: .h264,
            codecString: "avc1.640028",
            profile: "High",
            level: "4.0",
            width: width,
            height: height,
            frameRate: Rational(30, 1),
            decoderConfiguration: ByteBuffer()
        )
        change(&format)
        return format
    }

    private static func plan(
        _ source: VideoFormat,
        _ change: (inout TranscodingConfiguration) -> Void = { _ in }
    ) -> LadderPlan {
        var configuration = TranscodingConfiguration()
        configuration.isEnabled = true
        change(&configuration)
        return LadderPlan(configuration, for: source)
    }

    private static func sizes(_ plan: LadderPlan) -> [String] {
        plan.rungs.map { "\($0.name) \($0.width)x\($0.height)" }
    }

    @Test func theUsualLadderIsWhatIsSmaller() {
        #expect(
            Self.sizes(Self.plan(Self.source(1_920, 1_080))) == [
                "video-720p 1280x720", "video-480p 854x480", "video-360p 640x360",
            ]
        )
        #expect(
            Self.sizes(Self.plan(Self.source(3_840, 2_160))).first == "video-1080p 1920x1080"
        )
        #expect(Self.sizes(Self.plan(Self.source(640, 360))) == [])
        #expect(Self.plan(Self.source(640, 360)).refusal == nil)
    }

    @Test func withoutTheSourceTheTopIsAsLargeAsItIs() {
        let plan = Self.plan(Self.source(1_920, 1_080)) { $0.keepsSource = false }
        #expect(Self.sizes(plan).first == "video-1080p 1920x1080")
        #expect(!plan.keepsSource)
        // Nothing would be left.
        let small = Self.plan(Self.source(320, 240)) { $0.keepsSource = false }
        #expect(small.rungs.isEmpty && small.keepsSource)
    }

    @Test func theFirstLadderThatIsForTheSourceIsTaken() throws {
        func ladder(_ name: String, _ change: (inout Ladder) -> Void) -> Ladder {
            var ladder = Ladder()
            ladder.name = name
            var format = OutputFormat()
            format.resolution = PictureSize(width: 256, height: 144)
            ladder.outputFormats = [format]
            change(&ladder)
            return ladder
        }
        let ladders = [
            ladder("hevc") { $0.sourceCodecs = [.hevc, .av1] },
            ladder("large") {
                $0.smallestSource = PictureSize(width: 1_920, height: 1_080)
                $0.preset = .slow
            },
            ladder("small") {
                $0.largestSource = PictureSize(width: 720, height: 1_280)
                $0.keepsSource = false
            },
            ladder("cameras") { $0.match = StreamPattern("cam-*") },
        ]
        func plan(_ source: VideoFormat, _ stream: String, ladder: String? = nil) throws
            -> LadderPlan
        {
            var configuration = TranscodingConfiguration()
            configuration.isEnabled = ladder == nil
            configuration.ladders = ladders
            let name = try #require(StreamName(stream))
            return LadderPlan(configuration.applied(to: name, ladder: ladder), for: source)
        }
        let hevc = try plan(Self.source(1_920, 1_080) { $0.codec = .hevc }, "cam-1")
        #expect(hevc.ladder == "hevc" && Self.sizes(hevc) == ["video-144p 256x144"])
        let large = try plan(Self.source(2_160, 3_840), "cam-1")
        #expect(large.ladder == "large" && large.rungs.first?.preset == .slow)
        let small = try plan(Self.source(1_280, 720), "cam-1")
        #expect(small.ladder == "small" && !small.keepsSource)
        #expect(small.rungs.first?.preset == .veryfast)
        let between = Self.source(1_440, 1_080)
        #expect(try plan(between, "cam-1").ladder == "cameras")
        let usual = try plan(between, "news")
        #expect(usual.ladder.isEmpty && usual.keepsSource && usual.rungs.count == 3)
        // By its name, whatever it is for.
        #expect(try plan(between, "news", ladder: "hevc").ladder == "hevc")
    }

    @Test func theShapeOfThePictureIsKept() {
        let standing = Self.plan(Self.source(1_080, 1_920))
        #expect(Self.sizes(standing).first == "video-720p 720x1280")
        let wide = Self.plan(Self.source(1_920, 800))
        #expect(Self.sizes(wide) == ["video-480p 1152x480", "video-360p 864x360"])
        // DV widescreen: its samples are wider than high.
        let anamorphic = Self.plan(
            Self.source(720, 576) { $0.sampleAspectRatio = Rational(64, 45) }
        )
        #expect(Self.sizes(anamorphic).first == "video-480p 600x480")
        let odd = Self.plan(Self.source(1_279, 719))
        #expect(odd.rungs.allSatisfy { $0.width % 2 == 0 && $0.height % 2 == 0 })
    }

    @Test func anOperatorsFormatsAreTakenAsTheyAre() throws {
        let plan = Self.plan(Self.source(1_920, 1_080)) { configuration in
            var full = OutputFormat()
            full.resolution = PictureSize(width: 1_920, height: 1_080)
            full.bitsPerSecond = 6_000_000
            var small = OutputFormat()
            small.resolution = PictureSize(width: 1_280, height: 720)
            small.codec = .hevc
            small.frameRate = 25
            var tooLarge = OutputFormat()
            tooLarge.resolution = PictureSize(width: 3_840, height: 2_160)
            var again = small
            again.codec = .h264
            configuration.outputFormats = [small, full, tooLarge, again]
            configuration.preset = .medium
        }
        #expect(
            Set(plan.rungs.map(\.name)) == ["video-1080p", "video-720p", "video-720p-h264"]
        )
        let full = try #require(plan.rungs.first)
        #expect(full.name == "video-1080p" && full.bitsPerSecond == 6_000_000)
        #expect(full.preset == .medium)
        let hevc = try #require(plan.rungs.first { $0.codec == .hevc })
        #expect(hevc.frameRateLimit == 25)
        #expect((1_000_000...3_000_000).contains(hevc.bitsPerSecond))
    }

    @Test func whatCannotBeEncodedIsRefusedInWords() {
        for plan in [
            Self.plan(Self.source(1_920, 1_080) { $0.codec = .jpegXS }),
            Self.plan(Self.source(0, 0)),
        ] {
            #expect(plan.rungs.isEmpty)
            #expect(plan.refusal?.isEmpty == false)
        }
        let off = Self.plan(Self.source(1_920, 1_080)) { $0.isEnabled = false }
        #expect(off == LadderPlan())
    }
}

import Media
import NIOCore
import Processing
import Testing

@Suite struct SlateFormatTests {
    private static func format(
        signalled: Rational? = nil,
        measured: Double?,
        group: Duration = .seconds(2)
    ) -> SlateFormat {
        let video = VideoFormat(
            codec: .h264,
            codecString: "avc1.64001f",
            profile: "High",
            level: "3.1",
            width: 1_280,
            height: 720,
            frameRate: signalled,
            decoderConfiguration: ByteBuffer()
        )
        return SlateFormat(
            video,
            measuredRate: measured,
            groupDuration: group,
            partDuration: .milliseconds(333)
        )
    }

    @Test func aMeasuredRateIsTakenForTheOneThatEncodersUse() {
        #expect(Self.format(measured: 29.981).frameRate == Rational(30_000, 1_001))
        #expect(Self.format(measured: 30.01).frameRate == Rational(30, 1))
        #expect(Self.format(measured: 25.04).frameRate == Rational(25, 1))
    }

    @Test func whatIsMeasuredCountsMoreThanWhatIsSignalled() {
        let format = Self.format(signalled: Rational(50, 1), measured: 25.01)
        #expect(format.frameRate == Rational(25, 1))
        #expect(format.groupLength == 56)
    }

    @Test func aRateThatNoEncoderUsesStays() {
        #expect(Self.format(measured: 17.5).frameRate == Rational(17_500, 1_000))
    }

    @Test func ratesThatNoStreamHasAreNotBelieved() {
        #expect(Self.format(signalled: Rational(1, 4_000), measured: nil).frameRate.value == 25)
        #expect(
            Self.format(signalled: Rational(.max, 1), measured: .infinity).frameRate.value == 25
        )
        #expect(
            Self.format(signalled: Rational(.max, .max / 2), measured: nil).frameRate.value == 25
        )
    }

    @Test func aGroupIsAsLongAsIsAskedForAndWholeParts() {
        #expect(Self.format(measured: 60).groupLength == 120)
        #expect(Self.format(measured: 30, group: .milliseconds(500)).groupLength == 20)
        #expect(Self.format(measured: 29.97).groupLength == 60)
        #expect(Self.format(measured: 25).groupLength == 56)
        #expect(Self.format(measured: 2, group: .milliseconds(1)).groupLength == 1)
    }
}

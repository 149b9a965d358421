import Media
import Processing
import Testing

@Suite struct LetterboxTests {
    @Test func aPictureOfTheSameShapeFillsTheWhole() {
        let box = Letterbox(
            inner: (3_840, 2_160),
            innerSample: nil,
            outer: (1_280, 720),
            outerSample: nil
        )
        #expect(box.frame == [0, 0, 1_280, 720])
    }

    @Test func aNarrowPictureStandsBetweenTwoBorders() {
        let box = Letterbox(
            inner: (400, 400),
            innerSample: nil,
            outer: (320, 180),
            outerSample: nil
        )
        #expect(box.frame == [70, 0, 180, 180])
    }

    @Test func aWidePictureLiesBetweenTwoBorders() {
        let box = Letterbox(
            inner: (800, 200),
            innerSample: nil,
            outer: (320, 180),
            outerSample: nil
        )
        #expect(box.frame == [0, 50, 320, 80])
    }

    @Test func samplesThatAreNotSquareCountByTheirShape() {
        // 720 × 576 with samples of 64:45 is seen as 16:9.
        let wide = Letterbox(
            inner: (1_920, 1_080),
            innerSample: nil,
            outer: (720, 576),
            outerSample: Rational(64, 45)
        )
        #expect(wide.frame == [0, 0, 720, 576])
        let narrow = Letterbox(
            inner: (720, 576),
            innerSample: Rational(16, 15),
            outer: (1_920, 1_080),
            outerSample: nil
        )
        #expect(narrow.frame == [240, 0, 1_440, 1_080])
    }

    @Test func aSliverIsStillSeen() {
        let box = Letterbox(
            inner: (30_000, 1),
            innerSample: nil,
            outer: (320, 180),
            outerSample: nil
        )
        #expect(box.width == 320)
        #expect(box.height == 2)
    }
}

extension Letterbox {
    fileprivate var frame: [Int] { [x, y, width, height] }
}

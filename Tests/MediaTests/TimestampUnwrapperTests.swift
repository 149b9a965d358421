import Media
import Testing

@Suite struct TimestampUnwrapperTests {
    private static let range = Int64(1) << 33

    @Test func timeGoesOnOverTheWrap() {
        var unwrapper = TimestampUnwrapper(bits: 33)
        #expect(unwrapper.unwrap(Self.range - 3_000) == Self.range - 3_000)
        #expect(unwrapper.unwrap(0) == Self.range)
        #expect(unwrapper.unwrap(3_000) == Self.range + 3_000)
    }

    @Test func reorderedTimestampsAroundTheWrapStayInOrder() {
        var unwrapper = TimestampUnwrapper(bits: 33)
        _ = unwrapper.unwrap(Self.range - 1_500)
        #expect(unwrapper.unwrap(1_500) == Self.range + 1_500)
        #expect(unwrapper.unwrap(Self.range - 750) == Self.range - 750)
    }

    @Test func tenWrapsAddUpExactly() {
        var unwrapper = TimestampUnwrapper(bits: 33)
        let step = Self.range / 5 + 7
        var expected: Int64 = 0
        for _ in 0..<50 {
            #expect(unwrapper.unwrap(expected % Self.range) == expected)
            expected += step
        }
    }

    @Test func valuesWiderThanTheRangeAreCutToIt() {
        var unwrapper = TimestampUnwrapper(bits: 33)
        #expect(unwrapper.unwrap(Self.range + 5) == 5)
        #expect(unwrapper.unwrap(.max) == -1)
    }
}

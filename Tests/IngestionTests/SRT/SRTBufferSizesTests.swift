import Ingestion
import Testing

struct SRTBufferSizesTests {
    @Test(arguments: [(50_000_000, 120), (60_000_000, 2000), (200_000_000, 4000)])
    func theBufferHoldsTheLatencyAndFourSecondsMore(bitsPerSecond: Int, milliseconds: Int) {
        let sizes = SRTBufferSizes(
            bitsPerSecond: bitsPerSecond,
            latency: .milliseconds(milliseconds)
        )
        let needed = bitsPerSecond / 8 * (milliseconds + 4000) / 1000
        #expect(Int(sizes.receiveBufferBytes) >= needed)
        #expect(Int(sizes.flowWindowPackets) >= Int(sizes.receiveBufferBytes) / 1472)
    }

    @Test func smallRatesKeepTheLibrarysDefault() {
        let sizes = SRTBufferSizes(bitsPerSecond: 1, latency: .zero)
        #expect(sizes.receiveBufferBytes == 8192 * 1472)
        #expect(sizes.flowWindowPackets == 25_600)
    }

    @Test(arguments: [Int.max, Int.min])
    func absurdRatesAreBounded(bitsPerSecond: Int) {
        let sizes = SRTBufferSizes(bitsPerSecond: bitsPerSecond, latency: .seconds(3600))
        #expect((8192 * 1472...262_144 * 1472).contains(Int(sizes.receiveBufferBytes)))
    }
}

import Media
import NIOCore
import Testing

@Suite struct ByteBufferExactCapacityTests {
    @Test(arguments: [1, 1_000, 300_000])
    func thereIsRoomForWhatWasAskedAndNoMore(_ count: Int) {
        var buffer = ByteBuffer(exactCapacity: count)
        #expect(buffer.storageCapacity == count && buffer.readableBytes == 0)
        buffer.writeRepeatingByte(7, count: count)
        #expect(buffer.storageCapacity == count)
    }

    @Test(arguments: [0, 1, 1_000])
    func whatIsWrittenBeyondMakesItGrow(_ count: Int) {
        var buffer = ByteBuffer(exactCapacity: count)
        buffer.writeRepeatingByte(7, count: count + 1)
        #expect(buffer == ByteBuffer(repeating: 7, count: count + 1))
    }
}

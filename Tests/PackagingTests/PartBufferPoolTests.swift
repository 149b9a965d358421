import NIOCore
import Packaging
import Testing

struct PartBufferPoolTests {
    private static let size = 1 << 20

    private func address(of buffer: ByteBuffer) -> UInt {
        buffer.withVeryUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }

    private func part(
        from pool: PartBufferPool,
        filledWith byte: UInt8,
        size: Int = size
    ) -> ByteBuffer {
        var buffer = pool.take(capacity: size)
        buffer.writeRepeatingByte(byte, count: size)
        return buffer
    }

    @Test func aPartThatIsGivenBackLendsItsMemoryToTheNext() {
        let pool = PartBufferPool()
        var addresses: Set<UInt> = []
        var others: [ByteBuffer] = []
        for round in 0..<3 {
            let part = part(from: pool, filledWith: UInt8(round))
            #expect(pool.heldBytes == 0 && part.readableBytes == Self.size)
            addresses.insert(address(of: part))
            pool.give(back: [part])
            #expect(pool.heldBytes == part.capacity)
            // Would take the memory, had it gone back to the allocator.
            others.append(ByteBufferAllocator().buffer(capacity: part.capacity))
        }
        #expect(addresses.count == 1 && addresses.isDisjoint(with: others.map(address)))
    }

    @Test func bytesThatAViewerStillReadsAreLeftAlone() {
        let pool = PartBufferPool()
        let read = part(from: pool, filledWith: 1)
        pool.give(back: [read])
        _ = part(from: pool, filledWith: 2)
        #expect(read.readableBytesView.allSatisfy { $0 == 1 })
    }

    @Test func neitherMoreThanItsLimitNorWhatIsSmallIsKept() {
        let pool = PartBufferPool()
        pool.give(back: (0..<100).map { _ in ByteBufferAllocator().buffer(capacity: Self.size) })
        #expect(pool.heldBytes == 64 << 20)
        let small = PartBufferPool()
        small.give(back: [ByteBuffer(repeating: 0, count: 1_000)])
        #expect(small.heldBytes == 0)
    }

    @Test func partsALittleLargerOrSmallerThanAPowerOfTwoFitEachOther() {
        let pool = PartBufferPool()
        let sizes = [Self.size - 1_000, Self.size + 1_000, Self.size - 1_000]
        let addresses = sizes.map { size in
            let part = part(from: pool, filledWith: 0, size: size)
            pool.give(back: [part])
            return address(of: part)
        }
        #expect(Set(addresses).count == 1)
    }

    @Test func whatPilesUpIsLetGo() {
        let pool = PartBufferPool()
        let parts = (0..<8).map { part(from: pool, filledWith: $0) }
        let capacity = parts[0].capacity
        pool.give(back: parts)
        #expect(pool.heldBytes == 8 * capacity)
        pool.give(back: [ByteBufferAllocator().buffer(capacity: capacity)])
        #expect(pool.heldBytes == 2 * capacity)
    }
}

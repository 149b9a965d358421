import Ingestion
import TestSupport
import Testing

@Suite struct TransportPacketFramerTests {
    /// The PIDs of the packets found, with the input split into pieces of a length.
    private func pids(in bytes: [UInt8], split: Int) -> (pids: [Int], framer: TransportPacketFramer)
    {
        var framer = TransportPacketFramer()
        var pids: [Int] = []
        var position = 0
        while position < bytes.count {
            let piece = Array(bytes[position..<min(position + split, bytes.count)])
            var offset = 0
            while let found = framer.next(in: piece.span, from: &offset) {
                switch found {
                case .input(let range):
                    #expect(range.count == 188)
                    pids.append(Int(piece[range.lowerBound + 2]))
                case .carried(let range):
                    #expect(range.count == 188)
                    pids.append(Int(framer.carry[range.lowerBound + 2]))
                }
            }
            #expect(offset == piece.count)
            position += split
        }
        return (pids, framer)
    }

    private func packets(_ pids: Range<UInt8>, size: Int = 188) -> [UInt8] {
        var writer = TransportStreamWriter(streams: [])
        writer.packetSize = size
        return pids.flatMap { pid in
            writer.packet(pid: UInt16(pid), startsUnit: false, payload: [1, 2, 3])
        }
    }

    @Test(arguments: [188, 192, 204], [1, 7, 187, 188, 189, 1_316, 100_000])
    func packetsAreFoundInEverySizeAndSplit(size: Int, split: Int) {
        let (pids, framer) = pids(in: packets(0..<60, size: size), split: split)
        #expect(pids == Array(0..<60))
        #expect(framer.packetSize == size)
        #expect(framer.skippedBytes == (size == 192 ? 4 : 0))
    }

    @Test func theFirstWholePacketIsFoundFromAnyByteOn() {
        let bytes = packets(0..<20)
        for start in 0..<376 {
            let (pids, framer) = pids(in: Array(bytes[start...]), split: 100)
            let first = (start + 187) / 188
            #expect(pids == Array(first..<20))
            #expect(framer.skippedBytes == UInt64(first * 188 - start))
        }
    }

    @Test(arguments: [188, 192, 204], [1, 188, 1_000, 100_000])
    func oneWrongSyncByteIsNoLossButTwoAre(size: Int, split: Int) {
        let start = size == 192 ? 4 : 0
        var bytes = packets(0..<60, size: size)
        bytes[start + 20 * size] = 0
        let one = pids(in: bytes, split: split)
        #expect(one.pids == Array(0..<20) + Array(21..<60))
        #expect(one.framer.syncByteErrors == 1)
        #expect(one.framer.syncLosses == 0)
        bytes[start + 40 * size] = 0
        bytes[start + 41 * size] = 0
        let three = pids(in: bytes, split: split)
        #expect(three.pids == Array(0..<20) + Array(21..<40) + Array(42..<60))
        #expect(three.framer.syncByteErrors == 2)
        #expect(three.framer.syncLosses == 1)
    }

    @Test(arguments: [1, 188, 100_000])
    func bytesThatAreNoPacketsAreOneLoss(split: Int) {
        let garbage = [UInt8](repeating: 0x11, count: 5_000)
        #expect(pids(in: garbage, split: split).framer.syncLosses == 0)
        let broken = pids(in: packets(0..<20) + garbage, split: split)
        #expect(broken.framer.syncLosses == 1)
        #expect(broken.framer.syncByteErrors == 1)
    }

    @Test func packetsAreFoundAgainBehindBytesThatWereInsertedOrLost() {
        var bytes = packets(0..<40)
        bytes.removeSubrange(188 * 10 + 50..<188 * 10 + 60)
        bytes.insert(contentsOf: [UInt8](repeating: 0x11, count: 500), at: 188 * 20 - 10)
        for split in [1, 333, 100_000] {
            let (pids, framer) = pids(in: bytes, split: split)
            // The packet that lost bytes is found by its intact start; the next is gone.
            #expect(pids == Array(0...10) + Array(12..<40))
            #expect(framer.skippedBytes == 178 + 500)
        }
    }

    @Test func packetsThatLieWholeInTheInputAreNotCopied() {
        var framer = TransportPacketFramer()
        let bytes = packets(0..<40)
        var offset = 0
        while framer.next(in: bytes.span, from: &offset) != nil {}
        offset = 0
        for index in 0..<40 {
            #expect(
                framer.next(in: bytes.span, from: &offset)
                    == .input(index * 188..<(index + 1) * 188)
            )
        }
    }

    @Test func nothingIsFoundInRandomBytesAndLittleIsKept() {
        var random = SeededRandom(seed: 7)
        let bytes = random.bytes(200_000)
        let (whole, framer) = pids(in: bytes, split: 1_316)
        let (split, _) = pids(in: bytes, split: 100)
        #expect(whole == split)
        #expect(whole.count < 10)
        #expect(framer.carry.count <= 2_048)
    }
}

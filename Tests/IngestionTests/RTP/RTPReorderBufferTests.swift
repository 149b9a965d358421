import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct RTPReorderBufferTests {
    /// What came out: numbers, and losses as negative counts.
    private struct Line {
        var buffer: RTPReorderBuffer
        var out: [Int] = []

        init(_ configuration: RTPReorderBuffer.Configuration = .init()) {
            buffer = RTPReorderBuffer(configuration: configuration)
        }

        mutating func receive(_ numbers: Int..., at milliseconds: Double = 0) {
            for number in numbers {
                buffer.receive(
                    .numbered(number),
                    extendedSequence: Int64(number),
                    datagram: Self.datagram(number),
                    arrival: .at(milliseconds: milliseconds)
                ) { out.append(Self.number($0)) }
            }
        }

        mutating func advance(to milliseconds: Double) {
            buffer.advance(to: .at(milliseconds: milliseconds)) { out.append(Self.number($0)) }
        }

        mutating func flush() { buffer.flush { out.append(Self.number($0)) } }

        static func datagram(_ number: Int) -> ByteBuffer {
            var datagram = ByteBuffer(repeating: 0, count: 12)
            datagram.writeInteger(Int64(number))
            return datagram
        }

        static func number(_ output: RTPReorderBuffer.Output) -> Int {
            switch output {
            case .lost(let count): return -count
            case .packet(let packet, let datagram):
                let number = Int(
                    datagram.getInteger(at: datagram.readerIndex + 12, as: Int64.self) ?? -1
                )
                #expect(packet.sequenceNumber == UInt16(truncatingIfNeeded: number))
                return number
            }
        }
    }

    @Test func inOrderPacketsGoStraightOnInTheirOwnBytes() {
        var buffer = RTPReorderBuffer()
        var isSame = true
        for number in 0..<100 {
            let datagram = Line.datagram(number)
            let bytes = datagram.withUnsafeReadableBytes { $0.baseAddress }
            buffer.receive(
                .numbered(number),
                extendedSequence: Int64(number),
                datagram: datagram,
                arrival: .at(milliseconds: 0)
            ) { output in
                guard case .packet(_, let same) = output else {
                    isSame = false
                    return
                }
                isSame = isSame && same.withUnsafeReadableBytes { $0.baseAddress } == bytes
            }
        }
        #expect(isSame)
        #expect(buffer.deadline == nil)
        #expect(buffer.missing.isEmpty)
    }

    @Test func whatCameTooEarlyWaitsForWhatIsMissing() {
        var line = Line()
        line.receive(1, 2, 5, 4, 7)
        #expect(line.out == [1, 2])
        #expect(line.buffer.missing == [3, 6])
        #expect(line.buffer.statistics.heldPackets == 3)
        line.receive(3)
        #expect(line.out == [1, 2, 3, 4, 5])
        line.receive(6, 8)
        #expect(line.out == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(line.buffer.statistics.heldBytes == 0)
        #expect(line.buffer.statistics.lost == 0)
        #expect(line.buffer.deadline == nil)
    }

    @Test func whatDoesNotComeIsGivenUpWhenItsTimeIsOver() {
        var line = Line()
        line.receive(1, 3, at: 0)
        line.receive(6, at: 2)
        #expect(line.buffer.deadline == .at(milliseconds: 5))
        line.advance(to: 4.9)
        #expect(line.out == [1])
        line.advance(to: 5)
        #expect(line.out == [1, -1, 3])
        #expect(line.buffer.deadline == .at(milliseconds: 7))
        // A packet that comes in looks at the time, too.
        line.receive(7, at: 8)
        #expect(line.out == [1, -1, 3, -2, 6, 7])
        #expect(line.buffer.statistics.lost == 3)
    }

    @Test func whatMayComeOnAnotherWayIsWaitedForLonger() {
        var line = Line(.init(maximumLatency: .milliseconds(100)))
        line.receive(1, 4, 6, at: 0)
        line.buffer.setPassed(1, at: .at(milliseconds: 1))
        #expect(line.buffer.missing.isEmpty)
        line.advance(to: 50)
        #expect(line.out == [1])
        line.receive(2, at: 51)
        // The other way is past 3 and did not bring it: it may be out of order, and no more.
        line.buffer.setPassed(4, at: .at(milliseconds: 60))
        #expect(line.buffer.missing == [3])
        line.advance(to: 64)
        #expect(line.out == [1, 2])
        line.buffer.setPassed(4, at: .at(milliseconds: 64))
        line.advance(to: 140)
        #expect(line.out == [1, 2, -1, 4, -1, 6])
        // A way that goes no further is waited for up to the bound.
        line.receive(9, at: 200)
        line.buffer.setPassed(6, at: .at(milliseconds: 200))
        line.advance(to: 299)
        #expect(line.out.count == 6)
        line.advance(to: 300)
        #expect(line.out.suffix(2) == [-2, 9])
    }

    @Test func everyPacketComesOutOnceAndInOrderHoweverTheyCome() {
        var random = SeededRandom(seed: 4588)
        for _ in 0..<50 {
            var line = Line(.init(minimumLatency: .milliseconds(50)))
            // Each is up to 40 ms late, and some come twice.
            var arrivals: [(number: Int, at: Double)] = (1..<600).map { number in
                (number, Double(number) + Double.random(in: 0..<40, using: &random))
            }
            arrivals += arrivals.filter { $0.number % 7 == 0 }.map { ($0.number, $0.at + 1) }
            line.receive(0)
            for arrival in arrivals.sorted(by: { $0.at < $1.at }) {
                line.receive(arrival.number, at: arrival.at)
            }
            #expect(line.out == Array(0..<600))
            #expect(line.buffer.statistics.duplicates == 85)
        }
    }

    @Test func theWaitRisesToWhatReorderingNeedsAndFallsSlowly() {
        var line = Line()
        line.receive(1, 3, at: 0)
        #expect(line.buffer.statistics.latency == .milliseconds(5))
        // 20 ms late, and given up before; the next time it is waited for.
        line.receive(4, at: 5)
        line.receive(2, at: 20)
        #expect(line.buffer.statistics.late == 1)
        #expect(line.buffer.statistics.latency == .milliseconds(30))
        line.receive(6, at: 100)
        line.receive(5, at: 125)
        #expect(line.out == [1, -1, 3, 4, 5, 6])
        #expect(line.buffer.statistics.latency == .microseconds(37_500))
        // Ten seconds on, 10 ms less; a minute on, the least there is.
        line.receive(8, at: 10_125)
        #expect(line.buffer.statistics.latency == .microseconds(27_500))
        line.receive(7, at: 10_126)
        line.receive(10, at: 70_126)
        #expect(line.buffer.statistics.latency == .milliseconds(5))
    }

    @Test func theWaitStaysWithinItsBounds() {
        var line = Line()
        line.receive(1, 3, at: 0)
        line.receive(2, at: 4)
        #expect(line.buffer.statistics.latency == .milliseconds(6))
        line.receive(5, at: 10)
        line.receive(6, at: 20)
        line.receive(4, at: 190)
        #expect(line.buffer.statistics.latency == .milliseconds(200))
        // Nobody waits for what takes longer than the longest wait.
        var slow = Line()
        slow.receive(1, 3, at: 0)
        slow.receive(4, at: 10)
        slow.receive(2, at: 500)
        #expect(slow.buffer.statistics.late == 1)
        #expect(slow.buffer.statistics.latency == .milliseconds(5))
    }

    @Test func aGapInFrontOfOthersDoesNotMakeThemWaitLonger() {
        var line = Line()
        line.receive(1, 9, at: 0)
        line.receive(7, at: 1)
        line.receive(5, at: 2)
        #expect(line.buffer.deadline == .at(milliseconds: 5))
        line.advance(to: 5)
        #expect(line.out == [1, -3, 5, -1, 7, -1, 9])
    }

    @Test func moreThanTheBoundsIsNeverHeld() {
        var packets = Line(
            .init(minimumLatency: .seconds(1), maximumLatency: .seconds(1), packetLimit: 8)
        )
        packets.receive(0)
        for number in 2..<12 { packets.receive(number) }
        #expect(packets.buffer.statistics.heldPackets == 0)
        #expect(packets.buffer.statistics.overflows == 1)
        #expect(packets.out == [0, -1] + Array(2..<12))

        var bytes = Line(
            .init(minimumLatency: .seconds(1), maximumLatency: .seconds(1), byteLimit: 100)
        )
        bytes.receive(0)
        for number in 1..<100 { bytes.receive(number * 2) }
        #expect(bytes.buffer.statistics.heldBytes <= 100)
        #expect(bytes.buffer.statistics.overflows > 90)
        bytes.flush()
        #expect(bytes.out.count(where: { $0 == -1 }) == 99)
    }

    @Test func aBurstOfHundredsLostIsOneGap() {
        var line = Line()
        line.receive(1, 2, at: 0)
        line.receive(903, 904, at: 1)
        #expect(line.buffer.missing.count == 256)
        line.advance(to: 10)
        #expect(line.out == [1, 2, -900, 903, 904])
    }

    @Test func aClockThatIsSetBackStopsNothing() {
        var line = Line()
        line.receive(1, 3, at: 1_000_000)
        line.receive(4, at: 0)
        #expect(line.out == [1, -1, 3, 4])
        line.receive(5, 6)
        #expect(line.out.suffix(2) == [5, 6])
    }

    @Test func afterAFlushTheSequenceMayBeginAnywhere() {
        var line = Line()
        line.receive(100, 102)
        line.flush()
        #expect(line.out == [100, -1, 102])
        line.receive(7, 8)
        #expect(line.out.suffix(2) == [7, 8])
    }

    @Test func anEarlyPacketIsHeldAsACopyOfItsOwn() {
        var line = Line()
        line.receive(1)
        // One large read that many datagrams are cut from.
        var read = ByteBuffer(repeating: 0, count: 1 << 16)
        var datagram = Line.datagram(3)
        read.setBuffer(datagram, at: 1_000)
        datagram = read.getSlice(at: 1_000, length: datagram.readableBytes) ?? datagram
        line.buffer.receive(
            .numbered(3),
            extendedSequence: 3,
            datagram: datagram,
            arrival: .at(milliseconds: 0)
        ) { _ in }
        var capacity = Int.max
        line.buffer.advance(to: .at(milliseconds: 5)) { output in
            if case .packet(_, let held) = output { capacity = held.storageCapacity }
        }
        #expect(capacity < 100)
    }
}

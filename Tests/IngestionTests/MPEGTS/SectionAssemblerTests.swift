import Ingestion
import TestSupport
import Testing

@Suite struct SectionAssemblerTests {
    private func section(_ identifier: UInt16, bodyByteCount: Int = 8) -> [UInt8] {
        TransportStreamWriter.section(
            table: 2,
            identifier: identifier,
            version: 5,
            body: [UInt8](repeating: 3, count: bodyByteCount)
        )
    }

    @Test func aSectionIsReadFromOnePayload() throws {
        var assembler = SectionAssembler()
        let payload = [0] + section(77) + [UInt8](repeating: 0xFF, count: 20)
        let read = try #require(assembler.receive(payload.span, startsUnit: true).first)
        #expect(read.table == .programMap)
        #expect(read.identifier == 77)
        #expect(read.version == 5)
        #expect(read.isCurrent)
        #expect(read.body == [UInt8](repeating: 3, count: 8))
        #expect(assembler.errors == 0)
    }

    @Test(arguments: [1, 2, 3, 50, 183])
    func aSectionIsPutTogetherFromPiecesOfAnyLength(pieceByteCount: Int) {
        var assembler = SectionAssembler()
        let bytes = section(9, bodyByteCount: 1_000)
        var read: [Section] = []
        var position = 0
        while position < bytes.count {
            let piece = Array(bytes[position..<min(position + pieceByteCount, bytes.count)])
            let isFirst = position == 0
            let payload = isFirst ? [0] + piece : piece
            #expect(read.isEmpty)
            read += assembler.receive(payload.span, startsUnit: isFirst)
            position += pieceByteCount
        }
        #expect(read.map(\.body.count) == [1_000])
    }

    @Test func sectionsFollowBackToBackAndAcrossAPointer() {
        var assembler = SectionAssembler()
        let long = section(2, bodyByteCount: 100)
        let first = [0] + section(1) + long.prefix(40)
        #expect(assembler.receive(first.span, startsUnit: true).map(\.identifier) == [1])
        let rest = long.dropFirst(40)
        let second = [UInt8(rest.count)] + rest + section(3) + [0xFF, 0xFF]
        #expect(assembler.receive(second.span, startsUnit: true).map(\.identifier) == [2, 3])
        #expect(assembler.errors == 0)
    }

    @Test func everyFlippedBitIsFound() {
        let bytes = section(1)
        // Bits of table_id and of the length make other sections of it, found at the next start.
        for bit in 24..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            var assembler = SectionAssembler()
            let read = assembler.receive(([0] + damaged).span, startsUnit: true)
            #expect(read.isEmpty)
            #expect(assembler.errors == 1)
        }
    }

    @Test func aSectionThatBreaksOffIsCountedAndTheNextIsRead() {
        var assembler = SectionAssembler()
        let half = [0] + section(1, bodyByteCount: 300).prefix(180)
        #expect(assembler.receive(half.span, startsUnit: true).isEmpty)
        let next = [0] + section(2)
        #expect(assembler.receive(next.span, startsUnit: true).map(\.identifier) == [2])
        #expect(assembler.errors == 1)

        #expect(assembler.receive(half.span, startsUnit: true).isEmpty)
        assembler.lose()
        #expect(assembler.receive(section(3).span, startsUnit: false).isEmpty)
        #expect(assembler.errors == 2)
    }

    @Test func aPointerBehindThePayloadIsDamage() {
        var assembler = SectionAssembler()
        #expect(assembler.receive([200, 1, 2].span, startsUnit: true).isEmpty)
        #expect(assembler.receive([UInt8]().span, startsUnit: true).isEmpty)
        #expect(assembler.errors == 2)
    }

    @Test func otherTablesOnThePIDArePassedOver() {
        var assembler = SectionAssembler()
        var other = section(1)
        other[0] = 0xFC
        let payload = [0] + other + section(2)
        #expect(assembler.receive(payload.span, startsUnit: true).map(\.identifier) == [2])
        #expect(assembler.errors == 0)
    }

    @Test func randomPayloadsNeverStopIt() {
        var random = SeededRandom(seed: 3)
        var assembler = SectionAssembler()
        for _ in 0..<20_000 {
            let payload = random.bytes(Int.random(in: 0...184, using: &random))
            let startsUnit = Bool.random(using: &random)
            #expect(assembler.receive(payload.span, startsUnit: startsUnit).isEmpty)
        }
        let payload = [0] + section(4)
        #expect(assembler.receive(payload.span, startsUnit: true).map(\.identifier) == [4])
    }
}

import Foundation
import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// Against what GStreamer and ffmpeg send: Tests/Fixtures/RTP says how it was made.
@Suite struct RTPForwardErrorCorrectionTests {
    private struct Capture {
        var datagrams: [(port: Int, bytes: ByteBuffer)] = []

        init(_ name: String) throws {
            let folder = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Fixtures/RTP")
            var file = ByteBuffer(bytes: try Data(contentsOf: folder.appending(path: name)))
            while let head = file.readMultipleIntegers(as: (UInt8, UInt16).self) {
                let slice = file.readSlice(length: Int(head.1))
                let bytes = try #require(slice)
                datagrams.append((Int(head.0), bytes))
            }
        }

        /// What is recovered when the media packets of these places in the stream are lost.
        func recovered(
            losing lost: Set<Int>,
            ports: Set<Int> = [2, 4],
            with correction: inout RTPForwardErrorCorrection
        ) throws -> [ByteBuffer] {
            var recovered: [ByteBuffer] = []
            var place = -1
            for datagram in datagrams {
                // A packet a millisecond.
                let arrival = WallTime(microsecondsSinceEpoch: Int64(place) * 1_000)
                guard datagram.port == 0 else {
                    if ports.contains(datagram.port) {
                        recovered += correction.fec(datagram.bytes, arrival: arrival)
                    }
                    continue
                }
                place += 1
                if lost.contains(place) { continue }
                let packet = try RTPPacket(datagram.bytes.readableBytesUInt8Span)
                recovered += correction.media(
                    packet,
                    extendedSequence: Int64(packet.sequenceNumber),
                    datagram: datagram.bytes,
                    arrival: arrival
                )
            }
            return recovered
        }

        /// The places of packets that are byte for byte those of the stream; -1 for any other.
        func places(of recovered: [ByteBuffer]) -> [Int] {
            let media = datagrams.filter { $0.port == 0 }.map(\.bytes)
            return recovered.map { media.firstIndex(of: $0) ?? -1 }.sorted()
        }
    }

    private static let captures = ["st2022-1-gstreamer.bin", "st2022-1-ffmpeg.bin"]

    private static let begin = WallTime(microsecondsSinceEpoch: 0)

    /// Correction that knows of FEC before its first media packet.
    private func primed() throws -> RTPForwardErrorCorrection {
        var correction = RTPForwardErrorCorrection()
        // Any FEC packet says that there is FEC.
        var first = ByteBuffer(repeating: 0, count: 28)
        first.setInteger(UInt8(0x80), at: 0)
        first.setInteger(UInt8(0x80), at: 16)
        first.setInteger(UInt16(0x0101), at: 25)
        _ = correction.fec(first, arrival: Self.begin)
        return correction
    }

    @Test(arguments: captures)
    func eachPacketOfAMatrixThatIsLostAloneComesBackByteForByte(_ name: String) throws {
        let capture = try Capture(name)
        for ports: Set<Int> in [[2], [4], [2, 4]] {
            // Before its first packet, a stream is not known.
            for place in 1..<25 {
                var correction = try primed()
                let recovered = try capture.recovered(
                    losing: [place],
                    ports: ports,
                    with: &correction
                )
                #expect(capture.places(of: recovered) == [place], "ports \(ports)")
            }
        }
    }

    @Test(arguments: captures)
    func aBurstAsWideAsTheMatrixComesBackByItsColumns(_ name: String) throws {
        let capture = try Capture(name)
        let lost = Set(5..<10)
        var correction = try primed()
        let recovered = try capture.recovered(losing: lost, ports: [2], with: &correction)
        #expect(capture.places(of: recovered) == lost.sorted())
        #expect(correction.statistics.recovered == 5)
        // A matrix is 25 packets, and a column comes about as many behind its first.
        let delay = try #require(correction.delay)
        #expect(.milliseconds(20)...(.milliseconds(30)) ~= delay)
        var rows = try primed()
        #expect(try capture.recovered(losing: lost, ports: [4], with: &rows).isEmpty)
    }

    @Test(arguments: captures)
    func rowsAndColumnsCompleteEachOther(_ name: String) throws {
        let capture = try Capture(name)
        // Two in row 0; the column of one of them misses another, which is alone in row 2.
        let lost: Set<Int> = [0, 1, 10]
        var correction = try primed()
        let recovered = try capture.recovered(losing: lost, with: &correction)
        #expect(capture.places(of: recovered) == lost.sorted())
    }

    @Test(arguments: captures)
    func fourAtTheCornersOfARectangleAreTooMuch(_ name: String) throws {
        let capture = try Capture(name)
        var correction = try primed()
        #expect(try capture.recovered(losing: [0, 1, 5, 6], with: &correction).isEmpty)
    }

    @Test(arguments: captures)
    func whatComesBackIsWhatWasLostWhateverIsLost(_ name: String) throws {
        let capture = try Capture(name)
        var random = SeededRandom(seed: 2_022)
        var total = 0
        for _ in 0..<200 {
            var correction = try primed()
            let lost = Set((0..<50).filter { _ in random.next() % 100 < 15 })
            let recovered = try capture.recovered(losing: lost, with: &correction)
            let places = capture.places(of: recovered)
            #expect(Set(places).count == places.count)
            #expect(lost.isSuperset(of: places))
            #expect(correction.statistics.invalid == 0)
            total += places.count
        }
        #expect(total > 700)
    }

    @Test func nothingIsKeptOrGivenBackWithoutFEC() throws {
        let capture = try Capture(Self.captures[0])
        var correction = RTPForwardErrorCorrection()
        #expect(try capture.recovered(losing: [3], ports: [], with: &correction).isEmpty)
        #expect(correction.statistics == .init())
    }

    @Test func aPacketMayBeAsLongAsItWasWhenOthersWereLonger() throws {
        // Three packets of 4, 0 and 2 bytes of payload, in a row; the parity of all.
        let payloads: [[UInt8]] = [[1, 2, 3, 4], [], [0x10, 0x20]]
        for lost in 0..<3 {
            var correction = try primed()
            var recovered: [ByteBuffer] = []
            for (index, payload) in payloads.enumerated() where index != lost {
                recovered += correction.media(
                    .numbered(index),
                    extendedSequence: Int64(index),
                    datagram: Self.datagram(index, payload),
                    arrival: Self.begin
                )
            }
            // The middle one has a marker, and so has the parity of the three.
            var fec = ByteBuffer(bytes: [0x80, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            fec.writeBytes([0, 0, 0, 4 ^ 0 ^ 2, 0x80 | 0x60, 0, 0, 0, 0, 0, 0, 0 ^ 1 ^ 2])
            fec.writeBytes([0x40, 1, 3, 0, 0x11, 0x22, 3, 4])
            recovered += correction.fec(fec, arrival: Self.begin)
            // The last one is missing as soon as there is another behind it.
            recovered += correction.media(
                .numbered(3),
                extendedSequence: 3,
                datagram: Self.datagram(3, []),
                arrival: Self.begin
            )
            #expect(recovered == [Self.datagram(lost, payloads[lost])])
        }
    }

    @Test func whatNobodyMaySendIsCountedAndLeftOut() throws {
        var correction = try primed()
        var random = SeededRandom(seed: 2_733)
        for number in 0..<2_000 {
            var bytes = random.bytes(Int.random(in: 0...60, using: &random))
            if bytes.count > 28, number % 2 == 0 {
                bytes[0] = 0x80
                bytes[16] |= 0x80
                bytes[24] &= 0x40
                bytes[25] = bytes[25] % 6
                bytes[26] = bytes[26] % 6
                bytes[12] = 0
            }
            _ = correction.fec(ByteBuffer(bytes: bytes), arrival: Self.begin)
            _ = correction.media(
                .numbered(number),
                extendedSequence: Int64(number),
                datagram: Self.datagram(number, []),
                arrival: Self.begin
            )
        }
        #expect(correction.statistics.invalid > 500)
    }

    /// A packet like those of `numbered`, with its number as its timestamp; the second has a marker.
    private static func datagram(_ number: Int, _ payload: [UInt8]) -> ByteBuffer {
        var datagram = ByteBuffer(bytes: [0x80, number == 1 ? 0xE0 : 0x60])
        datagram.writeMultipleIntegers(
            UInt16(truncatingIfNeeded: number),
            UInt32(number),
            UInt32(0x1234_5678)
        )
        datagram.writeBytes(payload)
        return datagram
    }
}

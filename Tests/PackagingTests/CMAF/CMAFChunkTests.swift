import Media
import NIOCore
import Packaging
import Testing

/// Boxes held against bytes written by hand from ISO/IEC 14496-12.
@Suite struct CMAFChunkTests {
    private func firstPart(_ events: [MediaEvent], partTarget: Duration) -> [ByteBuffer] {
        let (outputs, _) = StreamPackager.outputs(
            of: events,
            configuration: PackagingConfiguration(partTarget: partTarget)
        )
        for output in outputs {
            if case .part(_, let part) = output { return part.slices }
        }
        return []
    }

    private func firstPart(_ source: SyntheticSource, partTarget: Duration) -> [UInt8] {
        firstPart(source.events, partTarget: partTarget).flatMap(\.readableBytesView)
    }

    private func address(of buffer: ByteBuffer) -> UInt {
        buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.filter(\.isHexDigit))
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0..<$0 + 2]), radix: 16)
        }
    }

    @Test func aKeyframeAloneIsSaidInDefaultsOnly() {
        var source = SyntheticSource()
        source.audio = []
        source.frameCount = 3
        let expected = bytes(
            """
            00000064 6d6f6f66
              00000010 6d666864 00000000 00000001
              0000004c 74726166
                0000001c 74666864 00020038 00000001 00000bb8 00000028 02000000
                00000014 74666474 01000000 000000000001ec30
                00000014 7472756e 00000001 00000001 0000006c
            00000030 6d646174
            """
        )
        let part = firstPart(source, partTarget: .milliseconds(33))
        #expect(part == expected + [UInt8](repeating: 0, count: 40))
    }

    @Test func largePicturesStayWhereTheyAreAndSmallOnesAreJoined() throws {
        var source = SyntheticSource()
        source.audio = []
        source.frameCount = 8
        let sizes = [65_536, 10, 20, 65_535, 100_000, 30, 1, 1]
        source.byteCount = { sizes[$0] }
        let pictures = source.pictures
        let slices = firstPart(
            [.tracks(source.tracks)] + pictures.map { .accessUnit($0) },
            partTarget: .milliseconds(200)
        )
        #expect(slices.dropFirst().map(\.readableBytes) == [65_536, 65_565, 100_000, 30])
        #expect(address(of: slices[1]) == address(of: pictures[0].payload))
        #expect(address(of: slices[3]) == address(of: pictures[4].payload))
        // Nothing is held that is not sent.
        #expect(slices[2].capacity == slices[2].readableBytes)
        let header = try #require(slices.first)
        #expect(
            header.getInteger(at: header.writerIndex - 8)
                == UInt32(8 + sizes.prefix(6).reduce(0, +))
        )
        let payload = (0..<6).flatMap { [UInt8](repeating: UInt8($0), count: sizes[$0]) }
        #expect(slices.dropFirst().flatMap(\.readableBytesView) == payload)
    }

    @Test func reorderedPicturesHaveOffsetsAndFlagsOfTheirOwn() {
        var source = SyntheticSource()
        source.audio = []
        source.hasBFrames = true
        source.frameCount = 7
        let expected = bytes(
            """
            00000080 6d6f6f66
              00000010 6d666864 00000000 00000001
              00000068 74726166
                00000014 74666864 00020008 00000001 00000bb8
                00000014 74666474 01000000 000000000001ec30
                00000038 7472756e 00000e01 00000003 00000088
                  00000028 02000000 00000bb8
                  00000029 01010000 00001770
                  0000002a 01810000 00000000
            00000083 6d646174
            """
        )
        let payload = (0..<3).flatMap { [UInt8](repeating: UInt8($0), count: 40 + $0) }
        #expect(firstPart(source, partTarget: .milliseconds(100)) == expected + payload)
    }

    @Test func soundOfEqualFramesNeedsNoFieldPerSample() {
        var source = SyntheticSource()
        source.frameRate = nil
        let expected = bytes(
            """
            0000005c 6d6f6f66
              00000010 6d666864 00000000 00000001
              00000044 74726166
                00000014 74666864 00020010 00000001 00000014
                00000014 74666474 01000000 0000000000010680
                00000014 7472756e 00000001 00000002 00000064
            00000030 6d646174
            """
        )
        let payload = [UInt8](repeating: 0, count: 20) + [UInt8](repeating: 1, count: 20)
        #expect(firstPart(source, partTarget: .milliseconds(40)) == expected + payload)
    }
}

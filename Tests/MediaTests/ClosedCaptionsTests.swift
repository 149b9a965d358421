import Media
import NIOCore
import TestSupport
import Testing

/// Captions of pictures that are left out wait for a picture that has room for them.
@Suite struct ClosedCaptionsTests {
    private static func constructs(_ count: Int, from first: Int = 0, isValid: Bool = true)
        -> [UInt8]
    {
        (first..<first + count).flatMap { index in
            [isValid ? 0xFE : 0xFA, UInt8(index >> 8), UInt8(index & 0xFF)] as [UInt8]
        }
    }

    @Test func whatFitsStaysAsItIs() {
        var captions = ClosedCaptions()
        captions.append(ClosedCaptions(Self.constructs(20) + Self.constructs(11, isValid: false)))
        let share = captions.takePicturesShare()
        #expect(share.bytes == Self.constructs(20) + Self.constructs(11, isValid: false))
        #expect(captions.isEmpty)
        // Half a construct is none.
        #expect(ClosedCaptions([0xFC, 1, 2, 0xFC]).bytes == [0xFC, 1, 2])
    }

    @Test func fillingGivesWayAndTheRestWaits() {
        var captions = ClosedCaptions(
            Self.constructs(20) + Self.constructs(10, isValid: false)
        )
        captions.append(ClosedCaptions(Self.constructs(20, from: 20)))
        #expect(captions.takePicturesShare().bytes == Self.constructs(31))
        #expect(captions.takePicturesShare().bytes == Self.constructs(9, from: 31))
        #expect(captions.isEmpty)
    }

    @Test func whatWaitsIsBounded() {
        var captions = ClosedCaptions()
        for _ in 0..<1_000 { captions.append(ClosedCaptions(Self.constructs(31))) }
        #expect(captions.bytes.count <= 8 * 31 * 3)
        #expect(captions.bytes.starts(with: Self.constructs(31)))
    }

    @Test(arguments: VideoFormat.Codec.allCases)
    func bytesOfNoPictureStayAsTheyAre(_ codec: VideoFormat.Codec) {
        let notes = PictureNotes(
            captions: ClosedCaptions(Self.constructs(2)),
            timecode: Timecode(hours: 1, minutes: 2, seconds: 3, frames: 4, isDropFrame: false)
        )
        for bytes: [UInt8] in [[], [0], [0, 0, 0, 9, 1], [255, 255, 255, 255, 1], [0, 0, 0, 0]] {
            let payload = ByteBuffer(bytes: bytes)
            #expect(notes.written(into: payload, of: codec) == payload)
        }
    }

    /// Random bytes, half of them behind the head of a metadata OBU: no crash, and no more than is bounded.
    @Test func anyBytesAreReadAndWritten() {
        var random = SeededRandom(seed: 3)
        let heads: [[UInt8]] = [
            [], [0x2A, 40, 4, 0xB5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03], [0x2A, 7, 5],
        ]
        var found = (captions: 0, timecodes: 0)
        for round in 0..<30_000 {
            let size = Int.random(in: 0...60, using: &random)
            let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            let payload = ByteBuffer(bytes: heads[round % heads.count] + bytes)
            guard let notes = PictureNotes(in: payload, of: .av1) else { continue }
            if !notes.captions.isEmpty { found.captions += 1 }
            if notes.timecode != nil { found.timecodes += 1 }
            #expect(notes.captions.bytes.count <= payload.readableBytes)
            for codec in VideoFormat.Codec.allCases {
                let written = notes.written(into: payload, of: codec)
                #expect(written.readableBytes >= payload.readableBytes)
                #expect(written.readableBytes <= payload.readableBytes + 256)
            }
        }
        #expect(found.captions > 100 && found.timecodes > 100)
        #expect(PictureNotes(in: ByteBuffer(), of: .h264) == nil)
    }

    /// Above 30 pictures a second two share a number: ST 12-1 as FFmpeg packs it.
    @Test func packedTimeCodesAreRead() {
        let packed: UInt32 = 1 << 30 | 0x2_9 << 24 | 0x5_8 << 16 | 0x5_7 << 8 | 0x2_3
        let code = Timecode(packed: packed, frameRate: 29.97)
        let read = [code.hours, code.minutes, code.seconds, code.frames]
        #expect(read == [23, 57, 58, 29] && code.isDropFrame)
        #expect(Timecode(packed: packed | 1 << 23, frameRate: 59.94).frames == 59)
        #expect(Timecode(packed: packed | 1 << 7, frameRate: 50).frames == 59)
        for random in stride(from: UInt32(0), to: .max, by: 0x10_3F5) {
            let code = Timecode(packed: random, frameRate: 60)
            #expect((0...23).contains(code.hours) && (0...59).contains(code.seconds))
        }
    }
}

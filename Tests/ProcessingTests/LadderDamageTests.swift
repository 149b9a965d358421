import Foundation
import Media
import NIOCore
import Processing
import TestSupport
import Testing

/// Damaged pictures take neither the process down nor what comes after the next keyframe.
@Suite struct LadderDamageTests {
    /// 10,000 flipped bits in all: in two of three pictures, but for the last five seconds.
    @Test(arguments: [LadderClip.bFrames, .hevc10, .av1TenBit])
    func tenThousandFlippedBitsAreLeftBehind(_ clip: LadderClip) async throws {
        let (flips, clean) = (3_334, 150)
        try await withFolder { folder in
            let file = try await clip.make(in: folder, seconds: 30)
            var random = SeededRandom(seed: 17)
            let run = try await LadderRun(file, .rungs([(160, 90)])) { events in
                var events = events
                let units = events.indices.filter {
                    if case .accessUnit = events[$0] { true } else { false }
                }
                let damaged = units.dropLast(clean).enumerated().compactMap {
                    $0.offset % 3 == 0 ? nil : $0.element
                }
                for _ in 0..<flips {
                    guard let index = damaged.randomElement(using: &random),
                        case .accessUnit(var unit) = events[index]
                    else { continue }
                    unit.payload.flipBit(using: &random)
                    events[index] = .accessUnit(unit)
                }
                return events
            }
            #expect(run.sources.count == 900)
            #expect(run.statistics.rungs[0].failures == 0)
            let last = try #require(run.boundaries(of: "video").last)
            #expect(run.boundaries(of: "video-90p").last == last)
            // From the first keyframe of the last five seconds on, every picture is there.
            let tail = run.sources.suffix(clean)
            let begin = try #require(tail.firstIndex { $0.isKeyframe })
            let due = tail[begin...].map(\.decodeTime)
            let pictures = run.pictures(of: "video-90p").map(\.decodeTime)
            #expect(due.count > clean / 2 && pictures.suffix(due.count) == due[...])
            try await LadderTranscoderTests.expectPlayable(
                run,
                "video-90p",
                pictures.count,
                in: folder
            )
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func flipBit(using random: inout SeededRandom) {
        guard readableBytes > 0 else { return }
        let index = readerIndex + Int.random(in: 0..<readableBytes, using: &random)
        guard let byte = getInteger(at: index, as: UInt8.self) else { return }
        setInteger(byte ^ 1 << UInt8.random(in: 0...7, using: &random), at: index)
    }
}

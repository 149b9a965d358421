import Dispatch
import Foundation
import Media
import Packaging
import Processing
import Synchronization
import TestSupport
import Testing

/// A ladder whose encoders stand still for a while, on a clock that goes fast.
@Suite struct LadderEaseTests {
    /// Each look at it is a second later than the one before.
    private static func fastClock() -> @Sendable () -> ContinuousClock.Instant {
        let start = ContinuousClock.now
        let looks = Mutex(0)
        return {
            let count = looks.withLock { looks in
                looks += 1
                return looks
            }
            return start.advanced(by: .seconds(count))
        }
    }

    @Test func whatALadderDoesWithoutItHasBackAndSegmentsStayAligned() async throws {
        try await withFolder { folder in
            let file = try await LadderClip.plain.make(
                in: folder,
                seconds: 16,
                options: ["-g", "30"]
            )
            var configuration = TranscodingConfiguration.rungs([(320, 180), (160, 90)])
            configuration.preset = .superfast
            let gate = DispatchSemaphore(value: 0)
            let card = ScriptedDevice { tool, isOpening, _ in
                if tool == .encoder, !isOpening {
                    gate.wait()
                    gate.signal()
                }
                return nil
            }
            let run = try await LadderRun(
                file,
                configuration,
                on: DeviceScheduler(cards: [FoundDevice(card)]),
                release: { _ = gate.signal() },
                after: 130,
                now: Self.fastClock()
            )
            #expect(run.statistics.decoding.effort == LadderEffort())
            let source = run.boundaries(of: "video")
            #expect(source.count == 8)
            for rung in run.plan.rungs {
                let own = run.boundaries(of: rung.name)
                #expect(own.allSatisfy(source.contains) && own.last == source.last)
            }

            // The largest was not there for a while, and was offered when it was.
            let large = run.rungs["video-180p"] ?? []
            let pauses = large.count { if case .pause = $0 { true } else { false } }
            #expect(pauses == 1 && run.boundaries(of: "video-180p").count < source.count)
            let offers = run.outputs.compactMap { output -> Bool? in
                guard case .renditions(let list) = output else { return nil }
                return list.contains { $0.id.description == "video-180p" }
            }
            let changes = zip(offers, offers.dropFirst()).filter { $0 != $1 }
            #expect(changes.map(\.0) == [false, true, false] && offers.last == true)

            // The other had half its pictures, and parameter sets of two presets.
            let times = run.pictures(of: "video-90p").map(\.decodeTime)
            #expect(zip(times, times.dropFirst()).contains { $1 - $0 == 6_000 })
            #expect(times.suffix(30).count == 30 && times.last == run.sources.last?.decodeTime)
            #expect(Set(run.formats(of: "video-90p").map(\.decoderConfiguration)).count > 1)
            try run.write("video-90p", to: folder.appending(path: "rung.mp4"))
        }
    }
}

import Dispatch
import Foundation
import Media
import Packaging
import Processing
import TestSupport
import Testing

/// A card that fails is left, and the ladder's segments stay where the source's are.
@Suite struct DeviceFailureTests {
    /// 2 s of 30 frames.
    private static let group = 60
    /// A group, and what a decoder held of the one before to put it in order.
    private static let loss = group + 3

    /// A clip of 8 s through a card that follows the script, and then by the policy.
    private static func run(
        _ encoder: [String] = ["-bf", "2"],
        policy: DevicePolicy = .fallBack,
        on cards: [ScriptedDevice],
        release: (@Sendable () -> Void)? = nil,
        _ body: (LadderRun, DeviceScheduler) throws -> Void
    ) async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "source.ts")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=8", "-pix_fmt",
                    "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-g", "\(group)",
                    "-sc_threshold", "0",
                ] + encoder + ["-f", "mpegts", file.path]
            )
            var configuration = TranscodingConfiguration()
            configuration.isEnabled = true
            configuration.preset = .ultrafast
            configuration.policy = policy
            configuration.outputFormats = [(320, 180), (160, 90)].map { width, height in
                var format = OutputFormat()
                format.resolution = PictureSize(width: width, height: height)
                format.bitsPerSecond = 200_000
                return format
            }
            let scheduler = DeviceScheduler(cards: cards.map { FoundDevice($0) })
            // On a clock that stands still no ladder is ever behind.
            let start = ContinuousClock.now
            let run = try await LadderRun(
                file,
                configuration,
                on: scheduler,
                release: release,
                now: { start }
            )
            try body(run, scheduler)
        }
    }

    /// The same segments as the source in every rung, and no picture but `lost` missing; where these are a
    /// whole group, so is its segment.
    private static func expectAligned(_ run: LadderRun, lost limit: Int) {
        let source = run.boundaries(of: "video")
        #expect(source.count >= 4)
        for rung in run.plan.rungs {
            let own = run.boundaries(of: rung.name)
            #expect(own.allSatisfy(source.contains))
            #expect(source.count - own.count <= limit / group && own.last == source.last)
            let missing = run.sources.count - run.pictures(of: rung.name).count
            #expect(missing <= limit && missing >= 0, "\(missing) of \(rung.name)")
            let times = run.pictures(of: rung.name).map(\.decodeTime)
            #expect(Set(times).isSubset(of: run.sources.map(\.decodeTime)))
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        }
        // What viewers of the source itself get is as if nothing had been.
        #expect(run.sources.count == 240)
    }

    @Test func aCardThatWorksDoesAllOfIt() async throws {
        let card = ScriptedDevice()
        try await Self.run(on: [card]) { run, scheduler in
            Self.expectAligned(run, lost: 0)
            #expect(run.statistics.device == "card-0" && run.statistics.deviceReason == nil)
            #expect(run.statistics.rungs.map(\.device) == ["card-0", "card-0"])
            #expect(card.uses(of: .encoder) == 480)
            #expect(scheduler.statistics.devices.map(\.ladders) == [0, 1])
        }
    }

    /// As data-centre parts do it.
    @Test func aCardWithoutEncodersLeavesThatToTheCPU() async throws {
        try await Self.run(on: [ScriptedDevice(hasEncoders: false)]) { run, _ in
            Self.expectAligned(run, lost: 0)
            #expect(run.statistics.device == "card-0" && run.statistics.deviceReason == nil)
            #expect(run.statistics.rungs.map(\.device) == ["cpu", "cpu"])
        }
    }

    @Test(arguments: [ScriptedDevice.full, ScriptedDevice.broken, .unsuitable("interlaced")])
    func aDecoderThatCannotBeOpenedCostsNoPicture(_ error: FFmpegError) async throws {
        let card = ScriptedDevice { tool, isOpening, _ in
            tool == .decoder && isOpening ? error : nil
        }
        try await Self.run(on: [card]) { run, _ in
            Self.expectAligned(run, lost: 0)
            #expect(run.statistics.device == "cpu")
            #expect(run.statistics.deviceReason?.hasPrefix("card-0: \(error.operation)") == true)
            for rung in run.plan.rungs { #expect(run.formats(of: rung.name).count == 1) }
        }
    }

    @Test func whereOneCardFailsTheNextTakesOver() async throws {
        let first = ScriptedDevice("card-0") { tool, _, count in
            tool == .decoder && count >= 130 ? ScriptedDevice.broken : nil
        }
        let second = ScriptedDevice("card-1")
        try await Self.run(on: [first, second]) { run, scheduler in
            Self.expectAligned(run, lost: Self.loss)
            #expect(run.statistics.device == "card-1")
            #expect(run.statistics.rungs.map(\.device) == ["card-1", "card-1"])
            let devices = scheduler.statistics.devices
            #expect(devices.map(\.ladders) == [0, 0, 1])
            #expect(devices[1].failures == 1 && devices[1].retryAfter != nil)
            #expect(devices[1].failure == "\(ScriptedDevice.broken)")
        }
    }

    /// At a keyframe, behind it, and with the first picture of all.
    @Test(arguments: [ScriptedDevice.Tool.decoder, .scaler, .encoder], [0, 120, 121, 150])
    func aFailureAmidTheStreamCostsAGroupAtMost(
        _ tool: ScriptedDevice.Tool,
        _ picture: Int
    ) async throws {
        // Each picture is scaled and encoded twice.
        let calls = tool == .decoder ? picture : 2 * picture
        let card = ScriptedDevice { used, isOpening, count in
            used == tool && !isOpening && count >= calls ? ScriptedDevice.broken : nil
        }
        try await Self.run(on: [card]) { run, _ in
            Self.expectAligned(run, lost: Self.loss)
            #expect(run.statistics.device == "cpu")
            for rung in run.plan.rungs where picture > 0 {
                // The card's parameter sets, then those of the CPU.
                #expect(run.formats(of: rung.name).count == 2)
            }
        }
    }

    @Test func whereThePolicyRefusesTheLadderEndsAndTheSourceGoesOn() async throws {
        let card = ScriptedDevice { tool, isOpening, count in
            tool == .encoder && !isOpening && count >= 200 ? ScriptedDevice.broken : nil
        }
        try await Self.run(policy: .refuse, on: [card]) { run, scheduler in
            #expect(run.sources.count == 240 && run.boundaries(of: "video").count >= 4)
            #expect(run.statistics.device == nil && run.placement.seat.isLost)
            let counts = run.plan.rungs.map { run.pictures(of: $0.name).count }
            #expect(counts.reduce(0, +) == 200 && counts.allSatisfy { $0 > 80 }, "\(counts)")
            #expect(scheduler.statistics.devices.map(\.ladders) == [0, 0])
        }
    }

    /// One that hangs holds up its ladder, and nothing else.
    @Test func aCardThatHangsDoesNotSlowTheSource() async throws {
        let gate = DispatchSemaphore(value: 0)
        let card = ScriptedDevice { tool, isOpening, count in
            guard tool == .encoder, !isOpening, count >= 30 else { return nil }
            gate.wait()
            gate.signal()
            return nil
        }
        let release: @Sendable () -> Void = { gate.signal() }
        try await Self.run(on: [card], release: release) { run, _ in
            #expect(run.sources.count == 240)
            for rung in run.statistics.rungs {
                #expect(rung.lostPictures > 100)
                let lost = rung.lostPictures + run.statistics.decoding.lostPictures
                #expect(rung.pictures + lost == 240)
            }
        }
    }

    /// Damage of the stream is not the card's fault.
    @Test func damageDoesNotMoveTheLadder() {
        #expect(FFmpegError(operation: "decoding", code: -0x4144_4E49).fault == nil)
        #expect(ScriptedDevice.full.fault == .full)
        #expect(ScriptedDevice.broken.fault == .broken)
        #expect(FFmpegError.unsuitable("interlaced").fault == .unsuitable)
    }
}

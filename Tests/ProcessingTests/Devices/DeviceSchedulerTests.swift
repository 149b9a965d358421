import Media
import NIOCore
import Processing
import Synchronization
import Testing

/// Which device gets which ladder, with time in the test's hand.
@Suite struct DeviceSchedulerTests {
    private static let source = VideoFormat(
        codec: .h264,
        codecString: "avc1.640028",
        profile: "High",
        level: "4.0",
        width: 1_920,
        height: 1_080,
        frameRate: Rational(30, 1),
        decoderConfiguration: ByteBuffer()
    )
    private static let ladderRate = DeviceWork(plan.rungs, of: source).pixelRate

    private static func configuration(
        _ policy: DevicePolicy = .fallBack,
        usesGPU: Bool = true
    ) -> TranscodingConfiguration {
        var configuration = TranscodingConfiguration()
        configuration.isEnabled = true
        configuration.policy = policy
        configuration.usesGPU = usesGPU
        return configuration
    }

    /// 720p, 480p and 360p.
    private static let plan = LadderPlan(configuration(), for: source)

    private static func place(
        by scheduler: DeviceScheduler,
        _ policy: DevicePolicy = .fallBack,
        usesGPU: Bool = true,
        after previous: DevicePlacement? = nil
    ) -> DevicePlacement? {
        scheduler.place(plan, of: source, configuration(policy, usesGPU: usesGPU), after: previous)
    }

    private static func ladders(_ scheduler: DeviceScheduler) -> [Int] {
        scheduler.statistics.devices.map(\.ladders)
    }

    /// Has everything that is opened on a card fail.
    private static func fail(_ placement: DevicePlacement) async {
        let ladder = LadderTranscoder(placement)
        async let finished: Void = ladder.run { _, _ in }
        let keyframe = Picture(
            decodeTime: 0,
            presentationTime: 0,
            randomAccess: .closed,
            payload: ByteBuffer(bytes: [0, 0, 0, 1, 0x65])
        )
        ladder.send([.begin(source), .picture(keyframe)])
        ladder.close()
        await finished
    }

    private static func failing(_ error: FFmpegError) -> ScriptedDevice {
        ScriptedDevice { _, isOpening, _ in isOpening ? error : nil }
    }

    @Test func withoutCardsTheCPUTakesEveryLadderWhateverThePolicy() throws {
        let scheduler = DeviceScheduler()
        for policy in DevicePolicy.allCases {
            let placement = try #require(Self.place(by: scheduler, policy))
            #expect(placement.plan == Self.plan && placement.isFinal)
        }
        #expect(Self.ladders(scheduler) == [0])
    }

    @Test func ladderAfterLadderGoesToTheCardWithTheLeastToDo() {
        let scheduler = DeviceScheduler(cards: [
            FoundDevice(ScriptedDevice("card-0"), pixelRateLimit: 10 * Self.ladderRate),
            FoundDevice(ScriptedDevice("card-1"), pixelRateLimit: 20 * Self.ladderRate),
        ])
        let placements = (0..<9).map { _ in Self.place(by: scheduler) }
        #expect(Self.ladders(scheduler) == [0, 3, 6])
        #expect(scheduler.statistics.devices[1].load.map { abs($0 - 0.3) < 0.001 } == true)
        #expect(placements.allSatisfy { $0?.isFinal == true })
    }

    @Test func aLadderThatEndsMakesRoom() {
        let scheduler = DeviceScheduler(cards: [FoundDevice(ScriptedDevice())])
        var placement = Self.place(by: scheduler)
        #expect(placement != nil && Self.ladders(scheduler) == [0, 1])
        placement = nil
        #expect(Self.ladders(scheduler) == [0, 0])
    }

    @Test func whoWantsNoCardGetsTheCPU() {
        let scheduler = DeviceScheduler(cards: [FoundDevice(ScriptedDevice())])
        let placement = Self.place(by: scheduler, .refuse, usesGPU: false)
        #expect(placement?.plan == Self.plan && Self.ladders(scheduler) == [1, 0])
    }

    @Test func whereNoCardHasRoomThePolicyDecides() throws {
        // A ladder, and of another the two small sizes.
        let small = DeviceWork(Self.plan.rungs.suffix(2), of: Self.source).pixelRate
        let card = FoundDevice(
            ScriptedDevice(),
            pixelRateLimit: Self.ladderRate + small
        )
        let scheduler = DeviceScheduler(cards: [card])
        var placements = [try #require(Self.place(by: scheduler))]
        let refused = try #require(Self.place(by: scheduler, .refuse))
        #expect(refused.plan.rungs.isEmpty && !refused.isFinal)
        #expect(
            refused.plan.refusal?.contains("card-0 has no time for more") == true
        )
        let part = try #require(Self.place(by: scheduler, .dropRungs))
        #expect(part.plan.rungs.map(\.name) == ["video-480p", "video-360p"])
        #expect(part.plan.shortage != nil && !part.isFinal)
        placements.append(part)
        let fallen = try #require(Self.place(by: scheduler))
        #expect(fallen.plan == Self.plan && fallen.isFinal)

        // Nothing better, until the first ladder has gone.
        #expect(Self.place(by: scheduler, .refuse, after: refused) == nil)
        #expect(Self.place(by: scheduler, .dropRungs, after: part) == nil)
        #expect(Self.ladders(scheduler) == [1, 2])
        placements.removeFirst()
        #expect(Self.place(by: scheduler, .dropRungs, after: part)?.plan == Self.plan)
    }

    @Test func oneLadderIsTakenByAnIdleCardWhateverWasMeasured() {
        let scheduler = DeviceScheduler(cards: [FoundDevice(ScriptedDevice(), pixelRateLimit: 1)])
        #expect(Self.place(by: scheduler, .refuse)?.plan == Self.plan)
    }

    @Test func aCardThatFailedPausesTwiceAsLongEachTime() async throws {
        let start = ContinuousClock.now
        let time = Mutex(Duration.zero)
        let failures = Mutex<[String]>([])
        let scheduler = DeviceScheduler(
            cards: [FoundDevice(Self.failing(ScriptedDevice.broken))],
            now: { start + time.withLock { $0 } },
            onFailure: { device, reason in failures.withLock { $0.append("\(device) \(reason)") } }
        )
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            await Self.fail(try #require(Self.place(by: scheduler, .refuse)))
            #expect(scheduler.statistics.devices[1].retryAfter == .seconds(pause))
            #expect(Self.place(by: scheduler, .refuse)?.plan.refusal?.contains("failed") == true)
            time.withLock { $0 += .seconds(pause) }
        }
        // A minute without a failure.
        time.withLock { $0 += .seconds(60) }
        await Self.fail(try #require(Self.place(by: scheduler, .refuse)))
        #expect(scheduler.statistics.devices[1].retryAfter == .seconds(5))
        #expect(failures.withLock { $0 }.count == 9)
        #expect(scheduler.statistics.devices[1].failures == 9)
    }

    @Test func howManyEncodersACardOpensIsLearnedAndForgotten() async throws {
        let start = ContinuousClock.now
        let time = Mutex(Duration.zero)
        let scheduler = DeviceScheduler(
            cards: [FoundDevice(Self.failing(ScriptedDevice.full))],
            now: { start + time.withLock { $0 } }
        )
        var placements = (0..<2).map { _ in Self.place(by: scheduler) }
        await Self.fail(try #require(Self.place(by: scheduler)))
        // Two ladders of three sizes, and two encoders more.
        #expect(scheduler.statistics.devices[1].sessionLimit == 8)
        #expect(scheduler.statistics.devices[1].retryAfter == nil)
        #expect(Self.place(by: scheduler, .refuse)?.plan.refusal?.contains("8 encoders") == true)
        let part = Self.place(by: scheduler, .dropRungs)
        #expect(part?.plan.rungs.count == 2)
        placements.removeLast()
        #expect(Self.place(by: scheduler, .refuse)?.plan == Self.plan)
        time.withLock { $0 += .seconds(600) }
        #expect(scheduler.statistics.devices[1].sessionLimit == nil)
    }

    /// The card is as good as before for ladders that it suits.
    @Test func aCardThatDoesNotSuitALadderIsNotTriedAgainForIt() async throws {
        let scheduler = DeviceScheduler(
            cards: [FoundDevice(Self.failing(.unsuitable("interlaced")))]
        )
        let placement = try #require(Self.place(by: scheduler, .refuse))
        await Self.fail(placement)
        #expect(placement.seat.isLost)
        let again = Self.place(by: scheduler, .refuse, after: placement)
        #expect(again?.plan.refusal?.contains("card-0 does not do such pictures") == true)
        #expect(scheduler.statistics.devices[1].failures == 0)
        #expect(Self.place(by: scheduler, .refuse)?.plan == Self.plan)
    }

    @Test func laddersThatMayUseACardWaitUntilItIsKnownWhetherThereIsOne() throws {
        let scheduler = DeviceScheduler(isSearching: true)
        let waiting = try #require(Self.place(by: scheduler))
        #expect(waiting.plan.rungs.isEmpty && waiting.plan.refusal == nil && !waiting.isFinal)
        #expect(Self.place(by: scheduler, after: waiting) == nil)
        #expect(Self.place(by: scheduler, usesGPU: false)?.plan == Self.plan)
        scheduler.found([], absence: "no driver")
        #expect(Self.place(by: scheduler, after: waiting)?.plan == Self.plan)
        #expect(scheduler.statistics.absence == "no driver")
    }
}

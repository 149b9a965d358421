import Media

/// What `DeviceScheduler` knows of its devices, and where a ladder is to go.
struct SchedulerState {
    struct Card {
        let device: any TranscodingDevice
        let pixelRateLimit: Double?
        var sessionLimit: (count: Int, since: ContinuousClock.Instant)?
        var failure: Failure?
        var failures: UInt64 = 0
    }

    struct Failure {
        let reason: String
        let until: ContinuousClock.Instant
        let pause: Duration
    }

    struct Job {
        let work: DeviceWork
        let policy: DevicePolicy
        let usesCards: Bool
        var device: String?

        func on(_ device: any TranscodingDevice) -> Job {
            var job = self
            job.device = device.name
            return job
        }
    }

    /// Where a ladder goes, and why not where it wants to be.
    struct Choice {
        var device: (any TranscodingDevice)?
        var reason: String?
    }

    var cards: [Card]
    /// Cards are looked for.
    var isSearching: Bool
    /// Why there is no card.
    var absence: String?
    var jobs: [UInt64: Job] = [:]
    var lastID: UInt64 = 0

    func load(of device: String) -> (ladders: Int, pixelRate: Double, sessions: Int) {
        jobs.values.filter { $0.device == device }.reduce(into: (0, 0, 0)) { sum, job in
            sum.ladders += 1
            sum.pixelRate += job.work.pixelRate
            sum.sessions += job.work.sessions
        }
    }

    /// The card with the least to do that has room; else what the policy says.
    func choose(
        for job: Job,
        _ cpu: any TranscodingDevice,
        _ unsuitable: Set<String>,
        _ now: ContinuousClock.Instant
    ) -> Choice {
        guard job.usesCards, !cards.isEmpty else { return Choice(device: cpu) }
        var best: (card: Card, load: Double)?
        var obstacles: [String] = []
        for card in cards {
            if unsuitable.contains(card.device.name) {
                obstacles.append("\(card.device.name) does not do such pictures")
                continue
            }
            let load = load(of: card.device.name)
            if let obstacle = card.obstacle(to: job.work, beside: load, now) {
                obstacles.append("\(card.device.name) \(obstacle)")
                continue
            }
            let share = (load.pixelRate + job.work.pixelRate) / card.nominalPixelRate
            if share < best?.load ?? .infinity { best = (card, share) }
        }
        if let best { return Choice(device: best.card.device) }
        let reason = obstacles.joined(separator: "; ")
        return Choice(device: job.policy == .fallBack ? cpu : nil, reason: reason)
    }
}

extension SchedulerState.Card {
    private static let shortestPause = Duration.seconds(5)
    private static let longestPause = Duration.seconds(300)
    /// One that has worked for so long since it failed has a clean record.
    private static let probation = Duration.seconds(60)
    /// What was learned of its sessions may be wrong by then: others use the card as well.
    private static let memory = Duration.seconds(600)
    /// Of cards that were not measured, to compare them: sixteen pictures of 1080p30.
    private static let usualPixelRate = 1e9

    init(_ found: FoundDevice) {
        device = found.device
        pixelRateLimit = found.pixelRateLimit
    }

    var nominalPixelRate: Double { max(pixelRateLimit ?? Self.usualPixelRate, 1) }

    /// How many encoders it opens, as learned of late.
    func sessionLimit(_ now: ContinuousClock.Instant) -> Int? {
        sessionLimit.flatMap { now - $0.since < Self.memory ? $0.count : nil }
    }

    func isPausing(_ now: ContinuousClock.Instant) -> Bool {
        failure.map { now < $0.until } ?? false
    }

    /// Why it cannot take more work, in words.
    func obstacle(
        to work: DeviceWork,
        beside load: (ladders: Int, pixelRate: Double, sessions: Int),
        _ now: ContinuousClock.Instant
    ) -> String? {
        if let failure, isPausing(now) { return "failed: \(failure.reason)" }
        if let limit = sessionLimit(now), load.sessions + work.sessions > limit {
            return "opens no more than \(limit) encoders"
        }
        // One ladder is taken by an idle card whatever was measured.
        if let limit = pixelRateLimit, load.ladders > 0, load.pixelRate + work.pixelRate > limit {
            return "has no time for more"
        }
        return nil
    }

    mutating func fail(_ reason: String, at now: ContinuousClock.Instant) {
        failures &+= 1
        var pause = Self.shortestPause
        if let failure, now - failure.until < Self.probation {
            pause = min(failure.pause * 2, Self.longestPause)
        }
        failure = SchedulerState.Failure(reason: reason, until: now + pause, pause: pause)
    }

    func statistics(
        _ load: (ladders: Int, pixelRate: Double, sessions: Int),
        _ now: ContinuousClock.Instant
    ) -> DeviceStatistics.Device {
        var statistics = DeviceStatistics.Device(device, load)
        statistics.pixelRateLimit = pixelRateLimit
        statistics.sessionLimit = sessionLimit(now)
        statistics.failures = failures
        statistics.failure = failure?.reason
        statistics.retryAfter = failure.flatMap { isPausing(now) ? $0.until - now : nil }
        return statistics
    }
}

package import Media
import Synchronization

/// Which device does which ladder.
///
/// A ladder goes to the card that has the least to do, by pixels a second against what it was measured
/// to do. Where none has room, the policy decides. A card on which something failed gets no new ladder
/// for a while, twice as long each time; ladders on it that work stay. How many encoders a card opens
/// is learned when one more fails, and forgotten after some minutes.
///
/// Threads: any. Nothing here blocks.
package final class DeviceScheduler: Sendable {
    private typealias State = SchedulerState
    private typealias Card = SchedulerState.Card
    private typealias Job = SchedulerState.Job
    private typealias Choice = SchedulerState.Choice

    package let cpu: any TranscodingDevice
    private let now: @Sendable () -> ContinuousClock.Instant
    private let onFailure: @Sendable (_ device: String, _ reason: String) -> Void
    private let state: Mutex<State>

    /// `isSearching`: cards are looked for, and ladders that may use one wait until `found` is called.
    package init(
        cards: [FoundDevice] = [],
        isSearching: Bool = false,
        cpu: any TranscodingDevice = CPUDevice.shared,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        onFailure: @escaping @Sendable (_ device: String, _ reason: String) -> Void = { _, _ in }
    ) {
        self.cpu = cpu
        self.now = now
        self.onFailure = onFailure
        state = Mutex(State(cards: cards.map(Card.init), isSearching: isSearching))
    }

    /// The search for cards is over; `absence` says why there is none.
    package func found(_ cards: [FoundDevice], absence: String? = nil) {
        state.withLock { state in
            state.cards += cards.map(Card.init)
            state.absence = absence
            state.isSearching = false
        }
    }

    // MARK: Placing

    /// Finds a device for a ladder.
    ///
    /// `previous` is what was found before for the same plan.
    ///
    /// - Returns: `nil` where there is nothing better than that.
    package func place(
        _ plan: LadderPlan,
        of source: VideoFormat?,
        _ configuration: TranscodingConfiguration,
        after previous: DevicePlacement? = nil
    ) -> DevicePlacement? {
        guard let source, !plan.rungs.isEmpty else { return DevicePlacement(plan) }
        let now = now()
        return state.withLock { state in
            if state.isSearching, configuration.usesGPU {
                return previous == nil ? DevicePlacement(LadderPlan(), isFinal: false) : nil
            }
            let unsuitable = previous?.seat.unsuitable ?? []
            // It makes room for what takes its place.
            let old = previous.flatMap { state.jobs.removeValue(forKey: $0.seat.id) }
            let (kept, job, choice) = choose(
                for: plan,
                of: source,
                configuration,
                unsuitable,
                state,
                now
            )
            guard let device = choice.device else {
                return previous?.plan == kept ? nil : DevicePlacement(kept, isFinal: false)
            }
            if let previous, kept.rungs == previous.plan.rungs, !previous.seat.isLost {
                state.jobs[previous.seat.id] = old
                return nil
            }
            state.lastID += 1
            state.jobs[state.lastID] = job.on(device)
            let seat = DeviceSeat(
                state.lastID,
                on: device,
                because: choice.reason,
                unsuitable: unsuitable,
                by: self
            )
            return DevicePlacement(kept, on: seat, isFinal: kept.rungs == plan.rungs)
        }
    }

    /// As much of the plan as the policy has made, and where.
    private func choose(
        for plan: LadderPlan,
        of source: VideoFormat,
        _ configuration: TranscodingConfiguration,
        _ unsuitable: Set<String>,
        _ state: State,
        _ now: ContinuousClock.Instant
    ) -> (kept: LadderPlan, job: Job, choice: Choice) {
        func job(_ count: Int) -> Job {
            Job(
                work: DeviceWork(plan.rungs.suffix(count), of: source),
                policy: configuration.policy,
                usesCards: configuration.usesGPU
            )
        }
        let whole = job(plan.rungs.count)
        let choice = state.choose(for: whole, cpu, unsuitable, now)
        guard choice.device == nil else { return (plan, whole, choice) }
        let reason = "no device has room for it (\(choice.reason ?? ""))"
        if configuration.policy == .dropRungs {
            for count in (1..<plan.rungs.count).reversed() {
                let part = job(count)
                let choice = state.choose(for: part, cpu, unsuitable, now)
                guard choice.device != nil else { continue }
                return (plan.keeping(smallest: count, because: reason), part, choice)
            }
        }
        return (plan.keeping(smallest: 0, because: reason), whole, choice)
    }

    /// - Returns: Another device for a ladder as it is; `nil` where its policy allows none.
    func move(_ id: UInt64, avoiding unsuitable: Set<String>) -> (any TranscodingDevice)? {
        let now = now()
        return state.withLock { state in
            guard let job = state.jobs.removeValue(forKey: id) else { return nil }
            guard let device = state.choose(for: job, cpu, unsuitable, now).device else {
                return nil
            }
            state.jobs[id] = job.on(device)
            return device
        }
    }

    func leave(_ id: UInt64) {
        state.withLock { _ = $0.jobs.removeValue(forKey: id) }
    }

    /// A ladder has to leave a card.
    func note(_ fault: DeviceFault, _ reason: String, of device: any TranscodingDevice) {
        let now = now()
        state.withLock { state in
            guard let index = state.cards.firstIndex(where: { $0.device === device }) else {
                return
            }
            switch fault {
            case .unsuitable:
                break
            case .full:
                let open = state.load(of: device.name).sessions
                state.cards[index].sessionLimit = (max(0, open - 1), now)
            case .broken:
                state.cards[index].fail(reason, at: now)
            }
        }
        if fault == .broken { onFailure(device.name, reason) }
    }

    /// Every device, the CPU first.
    package var statistics: DeviceStatistics {
        let now = now()
        return state.withLock { state in
            let own = DeviceStatistics.Device(cpu, state.load(of: cpu.name))
            return DeviceStatistics(
                devices: [own]
                    + state.cards.map { $0.statistics(state.load(of: $0.device.name), now) },
                isSearching: state.isSearching,
                absence: state.absence
            )
        }
    }
}

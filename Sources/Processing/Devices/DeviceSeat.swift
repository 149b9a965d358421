import Synchronization

/// Where one ladder works: a device, and another when that one fails; given up with the last reference.
///
/// Threads: those of the ladder report errors; its decoding thread moves.
package final class DeviceSeat: Sendable {
    private struct State {
        var device: (any TranscodingDevice)?
        var isToBeLeft = false
        var reason: String?
        /// Devices that do not do what this ladder wants.
        var unsuitable: Set<String>
    }

    let id: UInt64
    private let scheduler: DeviceScheduler?
    private let state: Mutex<State>

    /// On the CPU for good.
    package init() {
        id = 0
        scheduler = nil
        state = Mutex(State(device: CPUDevice.shared, unsuitable: []))
    }

    init(
        _ id: UInt64,
        on device: any TranscodingDevice,
        because reason: String?,
        unsuitable: Set<String>,
        by scheduler: DeviceScheduler
    ) {
        self.id = id
        self.scheduler = scheduler
        state = Mutex(State(device: device, reason: reason, unsuitable: unsuitable))
    }

    deinit {
        leave()
    }

    /// Makes room for another ladder.
    package func leave() {
        scheduler?.leave(id)
    }

    /// `nil` when the last one failed and the policy allows no other.
    var device: (any TranscodingDevice)? { state.withLock { $0.device } }

    /// There is no device for the ladder any more.
    package var isLost: Bool { state.withLock { $0.device == nil } }

    /// Why it is where it is, in words; `nil`: it got what it wanted.
    var reason: String? { state.withLock { $0.reason } }

    var unsuitable: Set<String> { state.withLock { $0.unsuitable } }

    /// Its device failed; with the next keyframe the ladder moves.
    var isToBeLeft: Bool { state.withLock { $0.isToBeLeft } }

    /// Takes what went wrong on a device.
    ///
    /// - Returns: Whether the ladder has to leave it. The CPU is not left: there is nowhere to go.
    func report(_ error: FFmpegError, of device: any TranscodingDevice) -> Bool {
        guard let scheduler, let fault = error.fault, device !== scheduler.cpu else { return false }
        let isNews = state.withLock { state in
            guard state.device === device, !state.isToBeLeft else { return false }
            state.isToBeLeft = true
            if fault == .unsuitable { state.unsuitable.insert(device.name) }
            state.reason = "\(device.name): \(error)"
            return true
        }
        if isNews { scheduler.note(fault, "\(error)", of: device) }
        return true
    }

    /// Goes to the next device, as the policy has it.
    ///
    /// - Returns: Whether there is one.
    func move() -> Bool {
        guard let scheduler else { return true }
        let next = scheduler.move(id, avoiding: unsuitable)
        return state.withLock { state in
            state.device = next
            state.isToBeLeft = false
            return next != nil
        }
    }
}

import CSRT
import Glibc
import Synchronization

/// libsrt's process-wide state: started once, before the first socket, and its log.
///
/// It is never cleaned up by hand: libsrt's own exit handler stops its threads, and a
/// `srt_cleanup` in the middle of the process would break sockets of other owners.
///
/// The log is silent but for connection set-up. libsrt logs per packet when the machine is starved,
/// so its other areas stay off; set-up failures are the one thing that only the log tells.
enum SRTLibrary {
    private static let isStarted: Bool = {
        guard srt_startup() >= 0 else { return false }
        let areas = [SRT_LOGFA_CONN]
        srt_resetlogfa(areas, areas.count)
        srt_setloglevel(LOG_WARNING)
        srt_setloghandler(nil) { _, _, _, _, _, message in
            guard let message, let failure = SRTSetupFailure(logLine: message) else { return }
            SRTLibrary.setupFailures.withLock { $0.insert(failure) }
        }
        return true
    }()

    private static let setupFailures = Mutex(RecentFailures())

    static func start() throws(SRTError) {
        guard isStarted else { throw .library("starting libsrt") }
    }

    /// Why a connection with this id failed after the listen callback had let it in.
    ///
    /// `nil` when libsrt did not say. Answers once.
    static func takeSetupFailure(of socket: SRTSOCKET) -> SRTSetupFailure.Reason? {
        setupFailures.withLock { $0.remove(socket) }
    }

    /// Bound: the oldest half is forgotten when 1024 failures were never asked for.
    private struct RecentFailures {
        private static let limit = 1024
        private var reasons: [SRTSOCKET: SRTSetupFailure.Reason] = [:]
        private var order: [SRTSOCKET] = []

        mutating func insert(_ failure: SRTSetupFailure) {
            if order.count >= Self.limit {
                for socket in order.prefix(Self.limit / 2) { reasons[socket] = nil }
                order.removeFirst(Self.limit / 2)
            }
            order.append(failure.socket)
            reasons[failure.socket] = failure.reason
        }

        mutating func remove(_ socket: SRTSOCKET) -> SRTSetupFailure.Reason? {
            reasons.removeValue(forKey: socket)
        }
    }
}

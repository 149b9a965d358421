import CSRT

/// Owner of one libsrt epoll: tells which sockets of a thread have something to do.
///
/// Threads: used and released by one thread.
final class SRTPoll {
    struct Interest: OptionSet {
        let rawValue: UInt32

        /// Data to receive, or a connection to accept.
        static let readable = Interest(rawValue: SRT_EPOLL_IN.rawValue)
        /// A connection that was being made stands.
        static let writable = Interest(rawValue: SRT_EPOLL_OUT.rawValue)
        /// The connection broke, or could not be made.
        static let failed = Interest(rawValue: SRT_EPOLL_ERR.rawValue)
    }

    private let id: Int32
    private var events: [SRT_EPOLL_EVENT]

    /// One wait reports at most `capacity` sockets; the others are reported by the next.
    init(capacity: Int) throws(SRTError) {
        try SRTLibrary.start()
        id = srt_epoll_create()
        events = Array(repeating: SRT_EPOLL_EVENT(), count: max(capacity, 1))
        guard id >= 0 else { throw .library("creating an SRT epoll") }
        // Waiting while no socket is there is not an error.
        srt_epoll_set(id, Int32(SRT_EPOLL_ENABLE_EMPTY.rawValue))
    }

    deinit { srt_epoll_release(id) }

    func add(_ socket: SRTSocket, _ interest: Interest) throws(SRTError) {
        var flags = Int32(bitPattern: interest.rawValue)
        guard srt_epoll_add_usock(id, socket.id, &flags) == 0 else {
            throw .library("adding a socket to an SRT epoll")
        }
    }

    func remove(_ socket: SRTSocket) {
        srt_epoll_remove_usock(id, socket.id)
    }

    /// Waits until a socket has something to do, at most `milliseconds`.
    func wait(milliseconds: Int64, _ body: (SRTSOCKET, Interest) -> Void) {
        let count = events.withUnsafeMutableBufferPointer {
            srt_epoll_uwait(id, $0.baseAddress, Int32(clamping: $0.count), milliseconds)
        }
        guard count > 0 else { return }
        // libsrt may count more than it could report.
        for event in events.prefix(Int(count)) {
            body(event.fd, Interest(rawValue: UInt32(bitPattern: event.events)))
        }
    }
}

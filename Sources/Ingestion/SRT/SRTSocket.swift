import CSRT
import Synchronization

/// Owner of one libsrt socket, closed when it is closed or let go.
///
/// Threads: one thread owns the socket and is the only one to close it; libsrt locks the rest.
final class SRTSocket: Sendable {
    enum Received {
        /// A message, and its number: that of the next is one more, modulo 2^31, if none is lost.
        case bytes(Int, number: Int32)
        /// Nothing is due yet.
        case nothing
        /// The connection is over.
        case broken
    }

    /// The largest message of live mode: an MTU of 1500 less the headers of IP, UDP and SRT.
    static let messageSizeLimit = Int(SRT_LIVE_MAX_PLSIZE)

    let id: SRTSOCKET
    private let isClosed = Atomic(false)

    init() throws(SRTError) {
        try SRTLibrary.start()
        id = srt_create_socket()
        guard id != SRT_INVALID_SOCK else { throw .library("creating an SRT socket") }
    }

    /// Takes over a socket that `srt_accept` gave.
    init(accepted id: SRTSOCKET) {
        self.id = id
    }

    deinit { close() }

    func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        srt_close(id)
    }

    func set(_ option: SRT_SOCKOPT, _ value: Int32) throws(SRTError) {
        let status = withUnsafeBytes(of: value) {
            srt_setsockflag(id, option, $0.baseAddress, Int32($0.count))
        }
        guard status == 0 else { throw .library("setting SRT option \(option.rawValue)") }
    }

    func set(_ option: SRT_SOCKOPT, _ value: Bool) throws(SRTError) {
        try set(option, value ? 1 : 0)
    }

    func set(_ option: SRT_SOCKOPT, _ value: String) throws(SRTError) {
        let status = Self.set(option, value, of: id)
        guard status == 0 else { throw .library("setting SRT option \(option.rawValue)") }
    }

    /// For the socket of a listen callback, which has no owner yet.
    static func set(_ option: SRT_SOCKOPT, _ value: String, of id: SRTSOCKET) -> Int32 {
        var value = value
        return value.withUTF8 { srt_setsockflag(id, option, $0.baseAddress, Int32($0.count)) }
    }

    func integer(_ option: SRT_SOCKOPT) -> Int32? {
        var value: Int32 = 0
        var size = Int32(MemoryLayout<Int32>.size)
        guard srt_getsockflag(id, option, &value, &size) == 0 else { return nil }
        return value
    }

    /// The next connection that is waiting; `nil` when there is none.
    func accept() -> SRTSocket? {
        let accepted = srt_accept(id, nil, nil)
        return accepted == SRT_INVALID_SOCK ? nil : SRTSocket(accepted: accepted)
    }

    /// Whether a message is due.
    ///
    /// Where there is none, this is cheaper than `receive`, which then throws and catches a C++
    /// exception within libsrt.
    var hasMessage: Bool {
        (integer(SRTO_EVENT) ?? 0) & Int32(bitPattern: SRT_EPOLL_IN.rawValue) != 0
    }

    /// Takes one message, without waiting.
    ///
    /// The buffer has room for at least `messageSizeLimit` bytes; what does not fit is lost.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
        var control = SRT_MSGCTRL()
        let count = srt_recvmsg2(
            id,
            buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(clamping: buffer.count),
            &control
        )
        if count > 0 { return .bytes(Int(count), number: control.pktseq) }
        if count == 0 { return .broken }
        return srt_getlasterror(nil) == SRT_EASYNCRCV.rawValue ? .nothing : .broken
    }
}

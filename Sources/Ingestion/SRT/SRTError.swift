import CSRT
import Glibc

/// What libsrt, or the socket call under it, refused to do; made in the statement of the call.
package struct SRTError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case badAddress = "bad_address"
        case addressInUse = "address_in_use"
        case library = "library"
        case system = "system"
        case connectionRefused = "connection_refused"
        case connectionTimeout = "connection_timeout"
    }

    package let code: Code
    /// What was tried, in words: `listening on 0.0.0.0:30000`.
    package let operation: String
    /// What the library or the system said to it.
    package let reason: String

    package init(code: Code, operation: String, reason: String) {
        self.code = code
        self.operation = operation
        self.reason = reason
    }

    package var description: String { "\(operation): \(reason)" }

    /// The error that libsrt noted last on this thread.
    static func library(_ operation: String) -> SRTError {
        SRTError(
            code: .library,
            operation: operation,
            reason: String(cString: srt_getlasterror_str())
        )
    }

    /// The error in `errno`.
    static func system(_ operation: String) -> SRTError {
        let number = errno
        return SRTError(
            code: number == EADDRINUSE ? .addressInUse : .system,
            operation: operation,
            reason: String(cString: strerror(number))
        )
    }
}

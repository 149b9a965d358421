import CSRT

/// A connection that libsrt itself turned away after the listen callback had let it in.
///
/// libsrt has no call that tells a listener of it: the socket is gone before anyone can ask for its
/// reject reason. Its log does, in one line for each:
/// `@630644914:newConnection: connection rejected due to: INTERNAL REJECTION - ERROR:BADSECRET`.
package struct SRTSetupFailure: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// Both sides have a passphrase, and they differ.
        case badSecret
        /// One side has a passphrase, the other none.
        case unsecure
        case other
    }

    /// The id of the socket that would have been accepted.
    package let socket: Int32
    package let reason: Reason

    package init(socket: Int32, reason: Reason) {
        self.socket = socket
        self.reason = reason
    }

    /// - Returns: `nil` for every other line of the log.
    package init?(logLine: UnsafePointer<CChar>) {
        let line = String(cString: logLine)
        guard let marker = line.firstRange(of: ":newConnection: connection rejected due to: "),
            let at = line[..<marker.lowerBound].lastIndex(of: "@"),
            let socket = Int32(line[line.index(after: at)..<marker.lowerBound])
        else { return nil }
        self.socket = socket
        reason =
            if line[marker.upperBound...].contains("BADSECRET") {
                .badSecret
            } else if line[marker.upperBound...].contains("UNSECURE") {
                .unsecure
            } else {
                .other
            }
    }
}

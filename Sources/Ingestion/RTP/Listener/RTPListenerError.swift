/// Why a port of RTP cannot be opened, and what to do about it.
package struct RTPListenerError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case addressInUse = "address_in_use"
        case system = "system"
        case noInterface = "no_interface"
        /// A session description names a port that `ingestion.rtp.extra_ports` does not hold.
        case portNotAllowed = "port_not_allowed"
        /// Two declarations cannot be told apart.
        case conflict = "conflict"
    }

    package let code: Code
    /// What was tried, in words: `binding UDP [::]:5004`.
    package let operation: String
    /// What the system said to it.
    package let reason: String
    package let cure: String

    package var description: String { "\(operation): \(reason); \(cure)" }

    /// The port is open, and nothing can be done with it.
    static func serving(_ port: Int, _ error: any Error) -> RTPListenerError {
        RTPListenerError(
            code: .system,
            operation: "serving UDP \(port)",
            reason: "\(error)",
            cure: "try again"
        )
    }
}

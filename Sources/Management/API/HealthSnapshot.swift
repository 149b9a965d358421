/// Whether the server can do its work, and which part of it cannot.
package struct HealthSnapshot: Codable, Sendable, Equatable {
    package enum Status: String, Codable, Sendable, CaseIterable {
        /// Not every listener is bound yet.
        case starting
        case ready
        /// Media flows, but something beside it (disk, registry) is away or slow.
        case degraded
        /// New publishers and viewers should go elsewhere.
        case stopping
    }

    /// One part of the server, in the operator's words.
    package struct Check: Codable, Sendable, Equatable {
        /// `srt_listener`, `https`.
        package var name: String
        package var isPassing: Bool
        /// What is wrong and what to do about it; `nil` while nothing is.
        package var message: String?

        package init(name: String, isPassing: Bool, message: String? = nil) {
            self.name = name
            self.isPassing = isPassing
            self.message = message
        }
    }

    package var status: Status
    package var checks: [Check]

    package init(status: Status, checks: [Check] = []) {
        self.status = status
        self.checks = checks
    }

    /// A load balancer may send work here.
    package var isReady: Bool { status == .ready || status == .degraded }
}

package import Processing

/// What encodes pictures again: the CPU, and the cards that were found.
package struct DevicesSnapshot: Codable, Sendable, Equatable {
    /// Whether it gets new streams.
    package enum State: String, Codable, Sendable, CaseIterable {
        case ready
        /// It failed, and gets nothing new for a while.
        case paused
    }

    /// One of them, and what it has to do.
    package struct Device: Codable, Sendable, Equatable {
        /// `cpu`, `nvidia-0`.
        package var name: String
        package var model: String
        package var state: State
        /// Streams that it makes smaller sizes of.
        package var streams: Int
        /// Encoders that these have open.
        package var encoders: Int
        /// So many it opens, as it said when one more failed; `nil`: it has refused none of late.
        package var encoderLimit: Int?
        /// Decoded and encoded.
        package var pixelsPerSecond: Double
        /// As measured at the start.
        package var pixelsPerSecondLimit: Double?
        package var failures: UInt64
        /// What went wrong last, in words.
        package var failure: String?
        /// Until it is tried again.
        package var pauseSeconds: Double?

        init(_ statistics: DeviceStatistics.Device) {
            name = statistics.name
            model = statistics.model
            state = statistics.retryAfter == nil ? .ready : .paused
            streams = statistics.ladders
            encoders = statistics.sessions
            encoderLimit = statistics.sessionLimit
            pixelsPerSecond = statistics.pixelRate.rounded()
            pixelsPerSecondLimit = statistics.pixelRateLimit?.rounded()
            failures = statistics.failures
            failure = statistics.failure
            pauseSeconds = statistics.retryAfter.map { ($0 / .seconds(1)).roundedForDisplay }
        }
    }

    /// Cards are looked for; streams that may use one wait.
    package var isSearching: Bool
    /// Why there is no card, in words; `nil` where one was found or none is wanted.
    package var absence: String?
    /// The CPU first.
    package var devices: [Device]

    package init(_ statistics: DeviceStatistics) {
        isSearching = statistics.isSearching
        absence = statistics.absence
        devices = statistics.devices.map(Device.init)
    }
}

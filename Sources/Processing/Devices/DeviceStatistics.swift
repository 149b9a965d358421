/// What transcodes, and how much each device has to do.
package struct DeviceStatistics: Sendable {
    /// One device, and what it has to do.
    package struct Device: Sendable {
        package let name: String
        package let model: String
        package let ladders: Int
        /// Encoders that its ladders have open.
        package let sessions: Int
        /// Pixels a second, decoded and encoded.
        package let pixelRate: Double
        package var pixelRateLimit: Double?
        /// How many encoders it opens; `nil`: it has refused none of late.
        package var sessionLimit: Int?
        package var failures: UInt64 = 0
        /// What went wrong last.
        package var failure: String?
        /// It gets no new ladder before.
        package var retryAfter: Duration?

        init(
            _ device: any TranscodingDevice,
            _ load: (ladders: Int, pixelRate: Double, sessions: Int)
        ) {
            name = device.name
            model = device.model
            (ladders, pixelRate, sessions) = load
        }

        /// How busy it is: 1 is as much as it was measured to do.
        package var load: Double? { pixelRateLimit.map { pixelRate / max($0, 1) } }
    }

    /// The CPU first.
    package let devices: [Device]
    package let isSearching: Bool
    /// Why there is no card, where one was looked for.
    package let absence: String?
}

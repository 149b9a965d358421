package import Media

/// What a ladder asks of a device.
package struct DeviceWork: Sendable, Equatable {
    /// Pixels a second that are decoded and encoded.
    package let pixelRate: Double
    /// Encoders that are open at a time.
    package let sessions: Int

    package init(_ rungs: some Collection<LadderRung>, of source: VideoFormat) {
        let frameRate = source.frameRate?.value ?? 30
        pixelRate = rungs.reduce(Double(source.width * source.height) * frameRate) { sum, rung in
            let rate = frameRate / Double(rung.divisor(for: source.frameRate))
            return sum + Double(rung.width * rung.height) * rate
        }
        sessions = rungs.count
    }
}

/// What becomes of a ladder that no card has room for, or whose card fails.
package enum DevicePolicy: String, Sendable, CaseIterable {
    /// The CPU takes it.
    case fallBack = "fallback_cpu"
    /// As many of its smallest sizes are made as there is room for on a card.
    case dropRungs = "drop_rungs"
    /// None of it is made.
    case refuse
}

/// A card, and how much it was measured to do.
package struct FoundDevice: Sendable {
    package let device: any TranscodingDevice
    /// Pixels a second, decoded and encoded; `nil`: not known.
    package let pixelRateLimit: Double?

    package init(_ device: any TranscodingDevice, pixelRateLimit: Double? = nil) {
        self.device = device
        self.pixelRateLimit = pixelRateLimit
    }
}

/// What is made of a ladder, and where.
package struct DevicePlacement: Sendable {
    package let plan: LadderPlan
    package let seat: DeviceSeat
    /// Asking again later gives nothing better.
    package let isFinal: Bool

    init(_ plan: LadderPlan, on seat: DeviceSeat = DeviceSeat(), isFinal: Bool = true) {
        self.plan = plan
        self.seat = seat
        self.isFinal = isFinal
    }
}

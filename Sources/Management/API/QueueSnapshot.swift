package import Media

/// How well one consumer of a stream keeps up: what waits for it, and what it did without.
///
/// Counts are since the stream began.
package struct QueueSnapshot: Codable, Sendable, Equatable {
    package struct Dropped: Codable, Sendable, Equatable {
        /// Pictures that no other refers to.
        package var disposable: UInt64
        /// Pictures of temporal layers that those below can do without.
        package var upperLayer: UInt64
        /// All other pictures, up to the next keyframe.
        package var dependent: UInt64
        /// Frames of sound.
        package var sound: UInt64
    }

    /// `packager`.
    package var consumer: String
    /// How full the queue is, 0 to 1.
    package var fill: Double
    package var highestFill: Double
    package var dropped: Dropped

    package init(_ pressure: LiveStreamSubscription.Pressure) {
        consumer = pressure.consumer
        fill = pressure.fill.roundedForDisplay
        highestFill = pressure.highestFill.roundedForDisplay
        let losses = pressure.losses
        dropped = Dropped(
            disposable: losses.disposable,
            upperLayer: losses.upperLayer,
            dependent: losses.dependent,
            sound: losses.sound
        )
    }
}

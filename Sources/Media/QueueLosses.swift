/// What a consumer that fell behind did without: access units by kind; counts only rise.
package struct QueueLosses: Sendable, Hashable {
    /// Pictures that no other refers to.
    package var disposable: UInt64 = 0
    /// Pictures of temporal layers that those below can do without.
    package var upperLayer: UInt64 = 0
    /// All other pictures, up to the next keyframe.
    package var dependent: UInt64 = 0
    /// Frames of sound.
    package var sound: UInt64 = 0

    package init() {}

    package var total: UInt64 {
        disposable &+ upperLayer &+ dependent &+ sound
    }
}

/// What the elementary streams of the selected program share.
struct SelectedProgram {
    var timeline = Timeline()
    var clock = SourceClock()
    var announcer: TrackAnnouncer
    var monitor: TransportStreamMonitor
    var statistics = TransportStreamStatistics()
    /// The stream whose clock decides on jumps: the video, or the first audio when there is none.
    var leadingPID: UInt16?
}

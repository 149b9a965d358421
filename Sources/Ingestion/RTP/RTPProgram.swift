import Media

/// What the streams of one RTP contribution share.
struct RTPProgram {
    var timeline: RTPTimeline
    var clock = SourceClock()
    var announcer: TrackAnnouncer
    /// Of an MPEG transport stream, instead of all else.
    var transportStream: IngestSession?
    /// Units that did not come after the one before, dropped.
    var misplacedUnits: UInt64 = 0
    /// Reports of streams that have no place on the timeline yet, by member.
    private var untoldReports: [RTPTimeline.Member: RTCPSenderReport] = [:]
    private let configuration: IngestSession.Configuration
    /// Takes the transport stream in place of a session of its own.
    private let sink: RTPSession.TransportStreamSink?
    /// Packets of the transport stream are missing in front of what comes next.
    private var hasLost = false
    private var tracks: [TrackDescription] = []

    init(
        configuration: IngestSession.Configuration,
        isSynchronised: Bool,
        sink: RTPSession.TransportStreamSink?
    ) {
        self.configuration = configuration
        self.sink = sink
        timeline = RTPTimeline(isSynchronised: isSynchronised)
        announcer = TrackAnnouncer(configuration: configuration)
    }

    /// Tracks that are to come, or come; one that is known already, by its ID, is replaced.
    mutating func expect(_ expected: [TrackDescription], _ emit: (MediaEvent) -> Void) {
        let before = tracks
        for track in expected {
            if let index = tracks.firstIndex(where: { $0.id == track.id }) {
                tracks[index] = track
            } else {
                tracks.append(track)
            }
        }
        if tracks != before { announcer.setStreams(tracks, emit) }
    }

    /// A packet of a track is here, whatever is in it.
    mutating func hear(_ track: Track.ID) {
        announcer.hear(track, dts: timeline.newest ?? RTPTimeline.origin)
    }

    /// The sender tells the time, and where the stream's clock was then.
    mutating func receive(
        _ report: RTCPSenderReport,
        of member: RTPTimeline.Member,
        arrival: WallTime
    ) {
        timeline.receive(report, of: member, arrival: arrival)
        setClock(by: report, of: member, arrival: arrival)
    }

    private mutating func setClock(
        by report: RTCPSenderReport,
        of member: RTPTimeline.Member,
        arrival: WallTime
    ) {
        guard report.ntp != 0 else { return }
        guard let ticks = timeline.ticks(of: report, of: member) else {
            // To be set when its first unit has its place.
            untoldReports[member] = report
            return
        }
        // One stream tells the time: clocks of several senders differ.
        if timeline.leader(at: arrival) == member {
            clock.set(report.wallTime, at: ticks, arrival: arrival)
        }
    }

    mutating func leave(_ member: RTPTimeline.Member) {
        timeline.leave(member)
        untoldReports[member] = nil
    }

    mutating func place(
        _ timestamp: UInt32,
        of member: RTPTimeline.Member,
        arrival: WallTime,
        _ emit: (MediaEvent) -> Void
    ) -> RTPTimeline.Position {
        let position = timeline.place(timestamp, of: member, arrival: arrival)
        if position.startsEpoch {
            clock.beginEpoch()
            announcer.beginEpoch(emit)
        }
        if !untoldReports.isEmpty, let report = untoldReports.removeValue(forKey: member) {
            setClock(by: report, of: member, arrival: arrival)
        }
        return position
    }

    mutating func loseTransportStream() {
        hasLost = true
    }

    mutating func receiveTransportStream(
        _ bytes: UnsafeRawBufferPointer,
        arrival: WallTime,
        _ emit: (MediaEvent) -> Void
    ) {
        if let sink {
            sink(bytes, arrival, hasLost)
            hasLost = false
            return
        }
        if transportStream == nil { transportStream = IngestSession(configuration: configuration) }
        transportStream?.receive(bytes, arrival: arrival, emit: emit)
    }
}

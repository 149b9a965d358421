/// The AV1 clip and its sound as a transport stream.
struct AV1TransportStream: Sendable {
    private var clip: AV1Clip
    private var writer: TransportStreamWriter
    private let video = TransportStreamWriter.Stream.av1()
    private let audio = TransportStreamWriter.Stream.aac()

    init() throws {
        clip = try AV1Clip()
        writer = TransportStreamWriter(streams: [video, audio])
    }

    /// One picture and the sound up to it.
    mutating func next() -> (due: Duration, bytes: [UInt8])? {
        guard let moment = clip.next() else { return nil }
        var bytes = moment.index % 10 == 0 ? writer.tables() : []
        bytes += writer.pes(
            moment.picture,
            on: video,
            pts: moment.pts,
            length: .unbounded,
            hasClock: true
        )
        for sound in moment.sounds {
            bytes += writer.pes(sound.frame, on: audio, pts: sound.pts)
        }
        return (moment.due, bytes)
    }
}

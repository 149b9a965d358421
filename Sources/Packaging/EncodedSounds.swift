import Media

/// The tracks of sound of a stream once more, in the formats they are encoded in here.
///
/// Each is a rendition of its own, `audio1-aac-128k` and so on, of which those of one format are a group.
/// Their frames come on a grid that was made from that of the source, with the segments of the source, so
/// they lie where the source's lie; `AudioPackager` cuts them as it cuts those.
/// Bound: `limit` renditions; further tracks are offered as they are sent, only.
struct EncodedSounds: Sendable {
    static let limit = 16

    private struct Sound: Sendable {
        let id: Rendition.ID
        let source: Rendition.ID
        let group: String
        /// `nil` before the first timeline.
        var audio: AudioPackager?
    }

    /// Names of formats.
    var formats: [String] = []
    private var sounds: [Sound] = []

    /// Has the source's renditions told of, and theirs follow them.
    mutating func adopt(_ sources: inout [AudioPackager]) {
        guard !formats.isEmpty else { return }
        for index in sources.indices {
            let source = sources[index].writer.id
            if !sounds.contains(where: { $0.source == source }) {
                guard sounds.count + formats.count <= Self.limit else { continue }
                sounds += formats.map { format in
                    let id = Rendition.ID("\(source)-\(format)")
                    return Sound(id: id, source: source, group: format)
                }
            }
            sources[index].tap.isOpen = true
        }
    }

    /// Those that are offered, or will be as soon as they have sound.
    func expected(beside sources: [AudioPackager]) -> [Rendition.ID] {
        offered(beside: sources).map(\.id)
    }

    func renditions(beside sources: [AudioPackager]) -> [Rendition] {
        offered(beside: sources).compactMap { sound in
            var rendition = sound.audio?.writer.rendition
            rendition?.soundGroup = sound.group
            return rendition
        }
    }

    var writers: [RenditionWriter] { sounds.compactMap(\.audio?.writer) }

    private func offered(beside sources: [AudioPackager]) -> [Sound] {
        sounds.filter { sound in
            sources.contains { $0.writer.id == sound.source && $0.writer.isOffered }
        }
    }

    /// What a rendition is made of.
    func source(of id: Rendition.ID) -> Rendition.ID? {
        sounds.first { $0.id == id }?.source
    }

    /// Takes what came of a track; `fix` sets the PART-TARGET where it is still open.
    mutating func consume(
        _ event: SoundEvent,
        of id: Rendition.ID,
        madeOf source: Track,
        fixingPartTarget fix: (inout AudioPackager) -> Void,
        into outputs: inout [PackagerOutput]
    ) {
        guard let index = sounds.firstIndex(where: { $0.id == id }) else { return }
        switch event {
        case .begin(let format):
            let track = Track(id: source.id, format: .audio(format), language: source.language)
            if sounds[index].audio == nil {
                sounds[index].audio = AudioPackager(id: id, track: track)
            } else {
                sounds[index].audio?.carry(track)
            }
            if var audio = sounds[index].audio {
                fix(&audio)
                sounds[index].audio = audio
            }
        case .boundary(let boundary):
            sounds[index].audio?.follow(boundary)
        case .frame(let frame):
            sounds[index].audio?.enqueue(frame.payload, at: frame.time)
            sounds[index].audio?.advance(to: frame.time, into: &outputs)
        case .end(let time):
            sounds[index].audio?.endTimeline(at: time, into: &outputs)
        }
    }
}

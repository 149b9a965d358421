import Media

/// Keeps the distance from where pictures are decoded to where they are shown, for a stream's whole life.
///
/// A keyframe is shown later than it is decoded, by as long as pictures wait for their order. Players
/// lay timelines end to end by `tfdt`: where a publisher comes back with fewer B-frames, they would leave
/// a hole in the picture as long as the difference. So its decode times are moved back until the
/// distance is that of the stream's first keyframe; presentation times are never touched. A publisher
/// with more keeps its own.
///
/// Units: ticks of the 90 kHz clock.
struct ReorderDelay: Sendable {
    private var first: Int64?
    /// How much sooner than the source says pictures are decoded, in this timeline.
    private var headStart: Int64 = 0

    /// From decode to presentation of the stream's first keyframe; zero before there is one.
    var ofStream: Int64 { first ?? 0 }

    /// A timeline begins with this keyframe, as the source times it.
    mutating func begin(with keyframe: Picture) {
        let delay = keyframe.presentationTime - keyframe.decodeTime
        let stream = first ?? delay
        first = stream
        headStart = max(0, stream - delay)
    }

    /// A picture as the source times it, with the decode time that is written.
    func place(_ picture: Picture) -> Picture {
        var picture = picture
        picture.decodeTime -= headStart
        return picture
    }
}

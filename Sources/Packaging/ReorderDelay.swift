import Media

/// Keeps the distance from where pictures are decoded to where sound is cut, for a stream's whole life.
///
/// A keyframe is shown later than it is decoded, by as long as pictures wait for their order. Players
/// that lay timelines end to end by the picture's `tfdt` take the sound along: where a publisher comes
/// back with more B-frames or fewer, they would leave a hole as long as the difference. So the
/// distance is that of the stream's first keyframe for good; presentation times are never touched.
///
/// Fewer: decode times are moved back until the distance is the same.
/// More:  sound is cut earlier, and begins before the timeline's first picture is shown.
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

    /// The source's decode time, from the one that is written.
    func sourceTime(at decodeTime: Int64) -> Int64 { decodeTime + headStart }

    /// Where sound is cut when a segment of pictures begins at this decode time, as written.
    ///
    /// What sound is cut to is thus exactly as long as the segments of the picture.
    func soundTime(at decodeTime: Int64) -> MediaTime {
        MediaTime(mpegTicks: decodeTime + ofStream)
    }
}

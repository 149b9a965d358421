/// What comes beside a picture and is no part of it: captions, and the time code.
package struct PictureNotes: Sendable, Equatable {
    package var captions: ClosedCaptions
    package var timecode: Timecode?

    package init(captions: ClosedCaptions = ClosedCaptions(), timecode: Timecode? = nil) {
        self.captions = captions
        self.timecode = timecode
    }

    /// Goes on to a later picture: captions of pictures that are left out wait for the next.
    package mutating func append(_ later: PictureNotes) {
        captions.append(later.captions)
        timecode = later.timecode
    }

    /// Takes out what the picture that was appended last carries.
    package mutating func take() -> PictureNotes {
        defer { timecode = nil }
        return PictureNotes(captions: captions.takePicturesShare(), timecode: timecode)
    }
}

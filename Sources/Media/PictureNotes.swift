/// What comes beside a picture and is no part of it: captions, the time code, how it is to be turned.
package struct PictureNotes: Sendable, Equatable {
    package var captions: ClosedCaptions
    package var timecode: Timecode?
    package var orientation: DisplayOrientation?

    package init(
        captions: ClosedCaptions = ClosedCaptions(),
        timecode: Timecode? = nil,
        orientation: DisplayOrientation? = nil
    ) {
        self.captions = captions
        self.timecode = timecode
        self.orientation = orientation
    }

    /// Goes on to a later picture: captions of pictures that are left out wait for the next.
    package mutating func append(_ later: PictureNotes) {
        captions.append(later.captions)
        timecode = later.timecode
        orientation = later.orientation
    }

    /// Takes out what the picture that was appended last carries.
    package mutating func take() -> PictureNotes {
        defer { (timecode, orientation) = (nil, nil) }
        return PictureNotes(
            captions: captions.takePicturesShare(),
            timecode: timecode,
            orientation: orientation
        )
    }
}

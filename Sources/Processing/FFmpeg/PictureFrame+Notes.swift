import CFFmpeg
import Media

extension PictureFrame {
    /// Takes captions and the time code off the frame.
    ///
    /// FFmpeg writes them with some encoders only; without them here it writes them with none.
    func takeNotes(frameRate: Double) -> PictureNotes {
        lend { frame in
            var notes = PictureNotes()
            if let captions = av_frame_get_side_data(frame, AV_FRAME_DATA_A53_CC) {
                notes.captions = ClosedCaptions(
                    UnsafeBufferPointer(start: captions.pointee.data, count: captions.pointee.size)
                )
                av_frame_remove_side_data(frame, AV_FRAME_DATA_A53_CC)
            }
            if let code = av_frame_get_side_data(frame, AV_FRAME_DATA_S12M_TIMECODE) {
                let words = UnsafeRawBufferPointer(
                    start: code.pointee.data,
                    count: code.pointee.size
                )
                // How many there are, then the first of them.
                if words.count >= 8, words.loadUnaligned(as: UInt32.self) > 0 {
                    notes.timecode = Timecode(
                        packed: words.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                        frameRate: frameRate
                    )
                }
                av_frame_remove_side_data(frame, AV_FRAME_DATA_S12M_TIMECODE)
            }
            return notes
        }
    }
}

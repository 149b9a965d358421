import CFFmpeg
import Glibc
import Media

extension PictureFrame {
    /// Takes captions, the time code and the orientation off the frame.
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
            if let matrix = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX) {
                let bytes = UnsafeRawBufferPointer(
                    start: matrix.pointee.data,
                    count: matrix.pointee.size
                )
                notes.orientation = DisplayOrientation(matrix: bytes)
                av_frame_remove_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX)
            }
            return notes
        }
    }

    /// It is made of no other picture.
    var isIntra: Bool { lend { $0.pointee.pict_type == AV_PICTURE_TYPE_I } }
}

extension DisplayOrientation {
    /// From nine numbers of 32 bits, row by row, as FFmpeg makes them of the message in the bitstream.
    ///
    /// - Returns: `nil` of a picture that is shown as it is, and of what is no such matrix.
    fileprivate init?(matrix bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 9 * MemoryLayout<Int32>.size else { return nil }
        func number(_ index: Int) -> Double {
            Double(bytes.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self))
        }
        let isMirrored = number(0) * number(4) < number(1) * number(3)
        // The first row is that of a rotation; of what was mirrored before, it is mirrored as well.
        let (cosine, sine) = isMirrored ? (-number(0), number(1)) : (number(0), -number(1))
        let turns = atan2(sine, cosine) / (2 * .pi)
        let rotation = UInt16(truncatingIfNeeded: Int((turns * 65_536).rounded()))
        guard isMirrored || rotation != 0 else { return nil }
        self.init(isMirrored: isMirrored, rotation: rotation)
    }
}

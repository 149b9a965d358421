/// The time code of a picture: hours, minutes, seconds, and pictures within the second.
package struct Timecode: Sendable, Equatable {
    package var hours: Int
    package var minutes: Int
    package var seconds: Int
    package var frames: Int
    /// Two numbers a minute are left out, so that 29.97 pictures a second keep pace with the clock.
    package var isDropFrame: Bool

    package init(hours: Int, minutes: Int, seconds: Int, frames: Int, isDropFrame: Bool) {
        self.hours = hours
        self.minutes = minutes
        self.seconds = seconds
        self.frames = frames
        self.isDropFrame = isDropFrame
    }

    /// From the binary groups of SMPTE ST 12-1 † as FFmpeg packs them: frames and the drop flag above, hours below.
    ///
    /// Above 30 pictures a second two share a number, and a bit tells which of them it is.
    package init(packed: UInt32, frameRate: Double) {
        func decimal(_ shift: UInt32, tens mask: UInt32) -> Int {
            Int((packed >> (shift + 4) & mask) * 10 + (packed >> shift & 0xF))
        }
        hours = min(decimal(0, tens: 3), 23)
        minutes = min(decimal(8, tens: 7), 59)
        seconds = min(decimal(16, tens: 7), 59)
        isDropFrame = packed & 1 << 30 != 0
        frames = decimal(24, tens: 3)
        guard frameRate > 30 else { return }
        let isSecond = packed >> (frameRate == 50 ? 7 : 23) & 1
        frames = 2 * frames + Int(isSecond)
    }
}

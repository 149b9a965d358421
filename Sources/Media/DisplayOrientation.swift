/// How a picture is to be turned before it is shown: mirrored first, then rotated.
package struct DisplayOrientation: Sendable, Equatable {
    /// Left and right change places.
    package var isMirrored: Bool
    /// Against the clock, in 65,536ths of a turn.
    package var rotation: UInt16

    package init(isMirrored: Bool, rotation: UInt16) {
        self.isMirrored = isMirrored
        self.rotation = rotation
    }
}

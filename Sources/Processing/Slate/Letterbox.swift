package import Media

/// Where a picture lies in another of a different shape: as large as it fits, in the middle.
///
/// Units: samples of the outer picture.
package struct Letterbox: Sendable, Equatable {
    package let x: Int
    package let y: Int
    package let width: Int
    package let height: Int

    /// Shapes are those that are seen: samples that are not square count by their aspect ratio.
    ///
    /// - Parameters:
    ///   - inner: Width and height of the picture, positive.
    ///   - innerSample: The shape of its samples; `nil` is square.
    ///   - outer: Width and height of what it is put into, positive.
    ///   - outerSample: The shape of those samples; `nil` is square.
    package init(
        inner: (width: Int, height: Int),
        innerSample: Rational?,
        outer: (width: Int, height: Int),
        outerSample: Rational?
    ) {
        let seenWidth = Double(inner.width) * Self.shape(innerSample)
        let outerShape = Self.shape(outerSample)
        let scale = min(
            Double(outer.width) * outerShape / seenWidth,
            Double(outer.height) / Double(inner.height)
        )
        width = Self.fit(seenWidth * scale / outerShape, into: outer.width)
        height = Self.fit(Double(inner.height) * scale, into: outer.height)
        x = (outer.width - width) / 2
        y = (outer.height - height) / 2
    }

    /// An even number, but for the whole; a border of one sample is none.
    private static func fit(_ length: Double, into whole: Int) -> Int {
        guard length.isFinite, length < Double(whole) - 1.5 else { return whole }
        return min(whole, max(1, Int(length / 2)) * 2)
    }

    private static func shape(_ ratio: Rational?) -> Double {
        guard let value = ratio?.value, (0.1...10).contains(value) else { return 1 }
        return value
    }
}

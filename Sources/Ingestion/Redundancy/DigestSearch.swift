/// Looks for where one row of digests goes on in another.
package enum DigestSearch {
    /// The first place of a text from which it is as the row is, up to the end of either.
    ///
    /// `row` and `text` are indices of what the closures read.
    ///
    /// Cost: linear in the shorter of them and the text, in time, also with look-alikes only: what fitted
    /// is not compared again (Knuth, Morris, Pratt); memory for as much of the row as fitted.
    package static func firstFit(
        of row: Range<Int>,
        in text: Range<Int>,
        rowDigest: (Int) -> UInt64,
        textDigest: (Int) -> UInt64
    ) -> Int? {
        let count = min(row.count, text.count)
        guard count > 0 else { return nil }
        // Of the row's first 1, 2, 3…: with how many of their last, fewer than all, it begins as well.
        var borders = [0]
        func fitting(after fitting: Int, _ digest: UInt64) -> Int {
            var fitting = fitting
            while rowDigest(row.lowerBound + fitting) != digest {
                guard fitting > 0 else { return 0 }
                fitting = borders[fitting - 1]
            }
            return fitting + 1
        }
        var fitted = 0
        for place in text {
            fitted = fitting(after: fitted, textDigest(place))
            guard fitted < count else { return place + 1 - count }
            if fitted > borders.count {
                let digest = rowDigest(row.lowerBound + borders.count)
                borders.append(fitting(after: borders[borders.count - 1], digest))
            }
        }
        return fitted > 0 ? text.upperBound - fitted : nil
    }
}

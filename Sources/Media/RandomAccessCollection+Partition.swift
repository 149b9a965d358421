extension RandomAccessCollection {
    /// Where the elements begin for which `isBehind` is true, as it is for all behind the first; else
    /// `endIndex`.
    ///
    /// Cost: as many calls as the count has binary digits.
    package func partitionIndex(where isBehind: (Element) -> Bool) -> Index {
        var (low, length) = (startIndex, count)
        while length > 0 {
            let half = length / 2
            let middle = index(low, offsetBy: half)
            if isBehind(self[middle]) {
                length = half
            } else {
                low = index(after: middle)
                length -= half + 1
            }
        }
        return low
    }
}

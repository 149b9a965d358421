extension Double {
    /// Three decimals, so that JSON shows 29.97 and not 29.970029970029969; 0 for what JSON cannot
    /// hold.
    var roundedForDisplay: Double {
        isFinite ? (self * 1_000).rounded() / 1_000 : 0
    }
}

extension Int {
    /// The nearest whole number, held to the range of `Int32` and up; 0 for what is not a number.
    init(wholeOf value: Double) {
        guard value.isFinite else {
            self = 0
            return
        }
        self = Int(Swift.min(Swift.max(value.rounded(), -1e15), 1e15))
    }
}

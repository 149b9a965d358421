import Media

extension WallTime {
    /// As EXT-X-PROGRAM-DATE-TIME writes it: `2026-07-01T12:00:00.040Z`, to the millisecond below.
    ///
    /// Bound: years 0000 to 9999; a time outside is written as the nearest one inside.
    /// Source: RFC 8216bis, 4.4.4.6; RFC 3339, 5.6.
    var programDateTime: String {
        let milliseconds = Self.floored(microsecondsSinceEpoch, by: 1_000).quotient
        let bounded = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let (days, millisecondOfDay) = Self.floored(bounded, by: 86_400_000)
        let (year, month, day) = Self.civilDate(daysSinceEpoch: days)
        let (second, millisecond) = millisecondOfDay.quotientAndRemainder(dividingBy: 1_000)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time =
            "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(date)T\(time).\(padded(millisecond, 3))Z"
    }

    /// The proleptic Gregorian calendar, counted in 400-year eras that start on 1 March, so that the
    /// leap day is the last of its year.
    private static func civilDate(
        daysSinceEpoch: Int64
    ) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floored(daysSinceEpoch + 719_468, by: 146_097)
        let leapDays = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floored(
        _ value: Int64,
        by divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// A number that is not negative, with zeros in front up to `width` digits.
func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

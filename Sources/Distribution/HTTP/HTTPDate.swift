package import Foundation
import Synchronization

/// Instants as header fields have them; that of now, for the field `Date`, is rendered once a second.
///
/// Source: RFC 9110, 5.6.7 (IMF-fixdate), 6.6.1 (Date).
package final class HTTPDate: Sendable {
    private let cache = Mutex((second: Int64.min, text: ""))

    package init() {}

    package func text(now: Date = Date()) -> String {
        let second = Int64(now.timeIntervalSince1970.rounded(.down))
        return cache.withLock { cache in
            if cache.second != second { cache = (second, Self.render(second: second)) }
            return cache.text
        }
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Days are counted in eras of 400 years that begin on 1 March, so that leap days come last.
    ///
    /// `second` is of POSIX time, not before 1970.
    package static func render(second: Int64) -> String {
        let (days, time) = (second / 86_400, second % 86_400)
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 2 : monthFromMarch - 10
        let year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)
        return """
            \(weekdays[Int(days % 7)]), \(twoDigits(day)) \(months[Int(month)]) \(year) \
            \(twoDigits(time / 3600)):\(twoDigits(time / 60 % 60)):\(twoDigits(time % 60)) GMT
            """
    }

    private static func twoDigits(_ number: Int64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

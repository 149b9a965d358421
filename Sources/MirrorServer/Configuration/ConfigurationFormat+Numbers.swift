import Packaging

extension ConfigurationFormat where Value == Bool {
    static let boolean = ConfigurationFormat(
        shape: "true or false",
        parse: { text throws(ConfigurationMismatch) in
            guard let value = truth(of: text) else {
                throw ConfigurationMismatch("is neither true nor false")
            }
            return value
        },
        write: { "\($0)" }
    )

    /// What YAML has as words for true and false.
    static func truth(of text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }
}

extension ConfigurationFormat where Value == Int {
    static func count(_ range: ClosedRange<Int>, of things: String) -> ConfigurationFormat {
        let shape = "\(things), \(range.lowerBound) to \(range.upperBound)"
        return ConfigurationFormat(
            shape: shape,
            parse: { text throws(ConfigurationMismatch) in
                guard let value = Int(text) else {
                    throw ConfigurationMismatch("is no whole number")
                }
                guard range.contains(value) else { throw ConfigurationMismatch("is out of range") }
                return value
            },
            write: { "\($0)" }
        )
    }

    static let port = count(0...65_535, of: "a port")

    /// Bytes, as a whole number or with `KiB`, `MiB` or `GiB`.
    static func byteCount(_ range: ClosedRange<Int>) -> ConfigurationFormat {
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        let write = { @Sendable (bytes: Int) in
            let unit = units.first { bytes > 0 && bytes.isMultiple(of: $0.1) }
            return unit.map { "\(bytes / $0.1)\($0.0)" } ?? "\(bytes)"
        }
        return ConfigurationFormat(
            shape: "bytes such as \(write(range.lowerBound)), at most \(write(range.upperBound))",
            parse: { text throws(ConfigurationMismatch) in
                let (number, unit) = try splitUnit(text)
                let factors = Dictionary(uniqueKeysWithValues: units + [("", 1)])
                guard let factor = factors[unit] else {
                    throw ConfigurationMismatch("has no unit of sizes in it")
                }
                let bytes = number * Double(factor)
                guard bytes >= Double(range.lowerBound), bytes <= Double(range.upperBound) else {
                    throw ConfigurationMismatch("is out of range")
                }
                return Int(bytes.rounded())
            },
            write: write
        )
    }
}

extension ConfigurationFormat where Value == Int? {
    /// Bits a second, as a whole number or with `k`, `M` or `G` (powers of 1000); 0 sets no limit.
    static let bitRateLimit = ConfigurationFormat(
        shape: "bits a second such as 5M, at most 100G; 0 is no limit",
        parse: { text throws(ConfigurationMismatch) in
            let (number, unit) = try splitUnit(text)
            let factors = ["": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9]
            guard let factor = factors[unit] else {
                throw ConfigurationMismatch("has no unit of bit rates in it")
            }
            guard number * factor <= 1e11 else { throw ConfigurationMismatch("is out of range") }
            let rate = Int((number * factor).rounded())
            return rate == 0 ? nil : rate
        },
        write: { rate in
            let rate = rate ?? 0
            let units = [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)]
            let unit = units.first { rate > 0 && rate.isMultiple(of: $0.1) }
            return unit.map { "\(rate / $0.1)\($0.0)" } ?? "\(rate)"
        }
    )
}

extension ConfigurationFormat where Value == Duration {
    /// A number and one of the units `ms`, `s`, `m`, `h`.
    static func duration(_ range: ClosedRange<Duration>) -> ConfigurationFormat {
        let bounds = "\(text(of: range.lowerBound)) to \(text(of: range.upperBound))"
        return ConfigurationFormat(
            shape: "a time, \(bounds)",
            parse: { text throws(ConfigurationMismatch) in
                let value = try parse(text)
                guard range.contains(value) else { throw ConfigurationMismatch("is out of range") }
                return value
            },
            write: text(of:)
        )
    }

    fileprivate static func parse(_ text: String) throws(ConfigurationMismatch) -> Duration {
        let (number, unit) = try splitUnit(text)
        let milliseconds: [String: Double] = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000]
        guard let factor = milliseconds[unit] else {
            throw ConfigurationMismatch(
                unit.isEmpty ? "has no unit" : "has no unit of time in it",
                cure: "Write the unit, as in 120ms, 2s, 1m or 1h"
            )
        }
        // A year is far beyond every bound, and far from overflow.
        guard number * factor <= 3.2e10 else { throw ConfigurationMismatch("is out of range") }
        return .microseconds(Int((number * factor * 1_000).rounded()))
    }

    fileprivate static func text(of duration: Duration) -> String {
        let microseconds =
            duration.components.seconds * 1_000_000
            + duration.components.attoseconds / 1_000_000_000_000
        let units: [(name: String, length: Int64)] = [
            ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000),
        ]
        let unit = units.first { microseconds > 0 && microseconds.isMultiple(of: $0.length) }
        guard let unit else {
            return microseconds == 0 ? "0s" : "\(Double(microseconds) / 1_000)ms"
        }
        return "\(microseconds / unit.length)\(unit.name)"
    }
}

extension ConfigurationFormat where Value == PackagingConfiguration.Window {
    /// A time, or a plain number of segments.
    static let window = ConfigurationFormat(
        shape: "a time such as 20s, at most 10m, or a number of segments, 6 to 600",
        parse: { text throws(ConfigurationMismatch) in
            if let segments = Int(text) {
                guard (6...600).contains(segments) else {
                    throw ConfigurationMismatch("is out of range")
                }
                return .segments(segments)
            }
            let duration = try ConfigurationFormat<Duration>.parse(text)
            guard duration <= .seconds(600) else { throw ConfigurationMismatch("is out of range") }
            return .duration(duration)
        },
        write: { window in
            switch window {
            case .segments(let count): "\(count)"
            case .duration(let duration): ConfigurationFormat<Duration>.text(of: duration)
            }
        }
    )
}

/// A non-negative decimal number and what stands behind it, with or without a space between.
private func splitUnit(
    _ text: String
) throws(ConfigurationMismatch) -> (number: Double, unit: String) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(digits), number.isFinite else {
        throw ConfigurationMismatch("does not begin with a number")
    }
    return (number, String(text.dropFirst(digits.count).drop { $0 == " " }))
}

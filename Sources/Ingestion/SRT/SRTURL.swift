/// Where an SRT listener elsewhere is, and how to ask it: `srt://host:port?streamid=…&latency=120`.
///
/// Keys: `streamid`, `passphrase` (10 to 79 bytes), `latency` (milliseconds), `pbkeylen` (16, 24 or
///       32), `mode` (`caller`), `transtype` (`live`). Values may be percent-encoded.
/// Its description leaves the passphrase out.
package struct SRTURL: Sendable, Equatable, CustomStringConvertible {
    package enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
        case notSRT
        case missingHost
        case badPort
        case unexpectedPath
        case unknownKey(String)
        case repeatedKey(String)
        case badValue(key: String, expected: String)

        package var description: String {
            switch self {
            case .notSRT: "an SRT URL begins with srt://"
            case .missingHost: "the SRT URL names no host: write srt://HOST:PORT"
            case .badPort: "the SRT URL needs a port from 1 to 65535: write srt://HOST:PORT"
            case .unexpectedPath: "an SRT URL has no path or user: name the stream with ?streamid="
            case .unknownKey(let key): "the SRT URL has an unknown key '\(key)'"
            case .repeatedKey(let key): "the SRT URL has the key '\(key)' twice"
            case .badValue(let key, let expected): "'\(key)' of the SRT URL must be \(expected)"
            }
        }
    }

    package let host: String
    package let port: Int
    package private(set) var streamID: String?
    package private(set) var passphrase: String?
    package private(set) var latency: Duration?
    package private(set) var keyBytes: Int?

    package init(_ text: String) throws(Problem) {
        let scheme = "srt://"
        guard text.prefix(scheme.count).lowercased() == scheme else { throw .notSRT }
        let parts = text.dropFirst(scheme.count)
            .split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        (host, port) = try Self.authority(parts[0])
        guard parts.count == 2 else { return }
        var seen: Set<Substring> = []
        for pair in parts[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard seen.insert(sides[0]).inserted else { throw .repeatedKey(String(sides[0])) }
            try set(String(sides[0]), to: sides.count == 2 ? sides[1] : "")
        }
    }

    private static func authority(_ text: Substring) throws(Problem) -> (String, Int) {
        var text = text
        if text.last == "/" { text = text.dropLast() }
        guard !text.contains(where: { $0 == "/" || $0 == "@" || $0 == "#" }) else {
            throw .unexpectedPath
        }
        guard let colon = text.lastIndex(of: ":") else {
            if text.isEmpty { throw .missingHost }
            throw .badPort
        }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(digits), (1...65_535).contains(port)
        else { throw .badPort }
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            // An IPv6 address without brackets: where its port begins nobody can tell.
            throw .badPort
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .missingHost
        }
        return (String(host), port)
    }

    private mutating func set(_ key: String, to raw: Substring) throws(Problem) {
        guard let value = String(percentDecoding: raw) else {
            throw .badValue(key: key, expected: "percent-encoded UTF-8")
        }
        switch key {
        case "streamid":
            guard value.utf8.count <= SRTStreamID.maximumLength else {
                throw .badValue(key: key, expected: "at most 512 bytes")
            }
            streamID = value.isEmpty ? nil : value
        case "passphrase":
            guard (10...79).contains(value.utf8.count) else {
                throw .badValue(key: key, expected: "10 to 79 bytes")
            }
            passphrase = value
        case "latency":
            guard let milliseconds = Int(value), (0...60_000).contains(milliseconds) else {
                throw .badValue(key: key, expected: "0 to 60000 milliseconds")
            }
            latency = .milliseconds(milliseconds)
        case "pbkeylen":
            guard let bytes = Int(value), [16, 24, 32].contains(bytes) else {
                throw .badValue(key: key, expected: "16, 24 or 32 bytes")
            }
            keyBytes = bytes
        case "mode":
            guard value == "caller" else { throw .badValue(key: key, expected: "caller") }
        case "transtype":
            guard value == "live" else { throw .badValue(key: key, expected: "live") }
        default:
            throw .unknownKey(key)
        }
    }

    package var description: String {
        let address = host.contains(":") ? "[\(host)]" : host
        return "srt://\(address):\(port)" + (streamID.map { "?streamid=\($0)" } ?? "")
    }
}

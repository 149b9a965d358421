/// A media playlist read back from its text, knowing nothing of how it was written.
struct ReadPlaylist {
    struct Part: Equatable {
        var uri: String
        var duration: Double
        var isIndependent: Bool
    }

    struct Segment {
        var mediaSequence = 0
        var discontinuitySequence = 0
        /// Every line of it but EXT-X-PART and EXT-X-MAP.
        var lines: [String] = []
        var hasDiscontinuity = false
        var isGap = false
        /// The URI of the initialization in force.
        var map: String?
        var parts: [Part] = []
        var duration: Double?
        var uri: String?
    }

    /// Up to the first tag of a segment.
    var header: [String] = []
    var skipped = 0
    var segments: [Segment] = []
    var hints: [[String: String]] = []
    var reports: [[String: String]] = []
    var isEnded = false
    private(set) var mediaSequence = -1
    private(set) var discontinuitySequence = -1
    private(set) var targetDuration = 0.0
    private(set) var partTarget = 0.0

    init(_ text: String) {
        var segment = Segment()
        var map: String?
        var hasSegmentTag = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let line = String(line)
            let (name, value) = Self.tag(line)
            switch name {
            case "#EXT-X-SKIP":
                skipped = Int(Self.attributes(value)["SKIPPED-SEGMENTS"] ?? "") ?? 0
                continue
            case "#EXT-X-PRELOAD-HINT":
                hints.append(Self.attributes(value))
                continue
            case "#EXT-X-RENDITION-REPORT":
                reports.append(Self.attributes(value))
                continue
            case "#EXT-X-ENDLIST":
                isEnded = true
                continue
            case "#EXT-X-MAP":
                map = Self.attributes(value)["URI"]
                hasSegmentTag = true
                continue
            case "#EXT-X-PART":
                let attributes = Self.attributes(value)
                segment.parts.append(
                    Part(
                        uri: attributes["URI"] ?? "",
                        duration: Double(attributes["DURATION"] ?? "") ?? 0,
                        isIndependent: attributes["INDEPENDENT"] == "YES"
                    )
                )
                hasSegmentTag = true
                continue
            case "#EXT-X-DISCONTINUITY": segment.hasDiscontinuity = true
            case "#EXT-X-GAP": segment.isGap = true
            case "#EXTINF": segment.duration = Double(value.dropLast())
            case "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-BYTERANGE": break
            default:
                guard line.hasPrefix("#") else {
                    segment.uri = line
                    segment.lines.append(line)
                    segment.map = map
                    segments.append(segment)
                    segment = Segment()
                    hasSegmentTag = false
                    continue
                }
                header.append(line)
                continue
            }
            hasSegmentTag = true
            segment.lines.append(line)
        }
        if hasSegmentTag {
            segment.map = map
            segments.append(segment)
        }
        readNumbers()
    }

    var serverControl: [String: String] {
        Self.attributes(value(of: "#EXT-X-SERVER-CONTROL") ?? "")
    }
    var duration: Double {
        segments.reduce(0) { sum, segment in
            sum + (segment.duration ?? segment.parts.reduce(0) { $0 + $1.duration })
        }
    }

    func value(of tag: String) -> String? {
        header.first { Self.tag($0).name == tag }.map { Self.tag($0).value }
    }

    private mutating func readNumbers() {
        mediaSequence = value(of: "#EXT-X-MEDIA-SEQUENCE").flatMap { Int($0) } ?? -1
        discontinuitySequence = value(of: "#EXT-X-DISCONTINUITY-SEQUENCE").flatMap { Int($0) } ?? -1
        targetDuration = value(of: "#EXT-X-TARGETDURATION").flatMap { Double($0) } ?? 0
        let partInformation = Self.attributes(value(of: "#EXT-X-PART-INF") ?? "")
        partTarget = partInformation["PART-TARGET"].flatMap { Double($0) } ?? 0

        var discontinuity = discontinuitySequence
        let first = mediaSequence + skipped
        for index in segments.indices {
            if segments[index].hasDiscontinuity { discontinuity += 1 }
            segments[index].mediaSequence = first + index
            segments[index].discontinuitySequence = discontinuity
        }
    }

    static func tag(_ line: String) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: ":") else { return (line, "") }
        return (String(line[..<colon]), String(line[line.index(after: colon)...]))
    }

    static func attributes(_ text: String) -> [String: String] {
        var attributes: [String: String] = [:]
        var rest = text[...]
        while let equals = rest.firstIndex(of: "=") {
            let name = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
            let isQuoted = rest.first == "\""
            if isQuoted { rest = rest.dropFirst() }
            let end = rest.firstIndex(of: isQuoted ? "\"" : ",") ?? rest.endIndex
            attributes[name] = String(rest[..<end])
            rest = rest[end...].drop { $0 == "\"" || $0 == "," }
        }
        return attributes
    }
}

extension ReadPlaylist {
    /// What a client makes of a delta update and the full playlist it had before.
    ///
    /// - Returns: `nil` when the client does not have what was skipped.
    /// Source: RFC 8216bis, 6.3.7.
    static func expand(
        _ delta: String,
        read update: ReadPlaylist,
        with older: ReadPlaylist
    ) -> String? {
        var head = update.header
        var map: String?
        for number in update.mediaSequence..<(update.mediaSequence + update.skipped) {
            guard let segment = older.segments.first(where: { $0.mediaSequence == number }),
                segment.uri != nil
            else { return nil }
            var lines = segment.lines
            if segment.map != map, let uri = segment.map {
                lines.insert(
                    "#EXT-X-MAP:URI=\"\(uri)\"",
                    at: lines.first == "#EXT-X-DISCONTINUITY" ? 1 : 0
                )
            }
            map = segment.map
            head += lines
        }
        let skip = "#EXT-X-SKIP:SKIPPED-SEGMENTS=\(update.skipped)\n"
        guard let rest = delta.firstRange(of: skip)?.upperBound else { return nil }
        return head.map { $0 + "\n" }.joined() + delta[rest...]
    }
}

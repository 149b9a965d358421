/// A session description (SDP) as far as receiving RTP needs it.
///
/// Read:   `c=`, `m=` and the attributes rtpmap, fmtp, rtcp, rtcp-mux, rtcp-fb, source-filter, ssrc,
///         ssrc-group, mid, group and lang. Other lines are passed over, as RFC 8866 asks.
/// Bounds: `byteLimit` bytes, `lineLimit` lines, `mediaLimit` media, `payloadLimit` payload types each.
/// Errors: the first line that cannot be read, with the cure in words; copies of a stream on several ways
///         (DUP), which are a description each.
///
/// Source: RFC 8866, 5 and 6; RFC 3605 (rtcp); RFC 4570 (source-filter); RFC 4585, 4.2 (rtcp-fb);
///         RFC 5576 (ssrc, ssrc-group); RFC 5761, 5.1.1 (rtcp-mux); RFC 5888 (group, mid); RFC 7104 (DUP).
package struct SessionDescription: Sendable, Equatable {
    /// Media that belong together: LS are in lip sync, FID the same flow, DUP copies of it.
    package struct Group: Sendable, Equatable {
        package var semantics: String
        package var mediaIDs: [String]
    }

    package static let byteLimit = 65_536
    package static let lineLimit = 1_024
    package static let mediaLimit = 32
    package static let payloadLimit = 64

    /// `s=`; empty when there is none.
    package var name = ""
    package var media: [MediaDescription] = []
    package var groups: [Group] = []

    package init(parsing text: String) throws(SessionDescriptionError) {
        guard text.utf8.count <= Self.byteLimit else {
            throw SessionDescriptionError(line: 0, reason: .tooLong)
        }
        var reader = SessionDescriptionReader()
        // A line ends with CR LF, or with LF alone; "\r\n" is one Character.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.count <= Self.lineLimit else {
            throw SessionDescriptionError(line: Self.lineLimit, reason: .tooLong)
        }
        for (index, line) in lines.enumerated() {
            let trimmed = line.trimmingSpaces
            if !trimmed.isEmpty { try reader.read(trimmed, number: index + 1) }
        }
        self = try reader.finish()
    }

    init() {}

    /// Media that the description says are in lip sync, whatever their CNAMEs.
    package var isSynchronised: Bool {
        groups.contains { $0.semantics == "LS" }
    }
}

extension Substring {
    var trimmingSpaces: Substring {
        var trimmed = self
        while let first = trimmed.unicodeScalars.first, first == " " || first == "\t" {
            trimmed.unicodeScalars.removeFirst()
        }
        while let last = trimmed.unicodeScalars.last, last == " " || last == "\t" {
            trimmed.unicodeScalars.removeLast()
        }
        return trimmed
    }

    /// The part before the first separator and the part after it; `nil` without a separator.
    func cut(at separator: Character) -> (head: Substring, tail: Substring)? {
        guard let index = firstIndex(of: separator) else { return nil }
        return (self[..<index], self[self.index(after: index)...])
    }
}

/// The delivery directives of a request for a media playlist.
///
/// Source: RFC 8216bis, 6.2.5 (Delivery Directives Interface).
package struct PlaylistRequest: Sendable, Equatable {
    /// The directive `_HLS_skip`; no playlist here has date ranges, so `v2` is answered as `yes` is.
    package enum Skip: String, Sendable {
        case none
        case yes = "YES"
        case v2 = "v2"
    }

    /// The directive `_HLS_msn`: answer when the playlist has this segment, whole unless `part` is given.
    package let mediaSequence: UInt64?
    /// The directive `_HLS_part`: answer when the playlist has this part of it.
    package let part: UInt64?
    package let skip: Skip

    package init(mediaSequence: UInt64? = nil, part: UInt64? = nil, skip: Skip = .none) {
        self.mediaSequence = mediaSequence
        self.part = part
        self.skip = skip
    }

    /// Items that are not directives are ignored.
    ///
    /// - Throws: `badRequest` for a value that is not what the directive takes, for a directive given
    ///   twice, and for `_HLS_part` without `_HLS_msn`.
    package init(queryItems: [(name: String, value: String)]) throws(SegmentStoreError) {
        var directives: [String: String] = [:]
        for item in queryItems where item.name.hasPrefix("_HLS_") {
            guard directives.updateValue(item.value, forKey: item.name) == nil else {
                throw .badRequest("a delivery directive is given more than once")
            }
        }
        mediaSequence = try Self.number(directives["_HLS_msn"], named: "_HLS_msn")
        part = try Self.number(directives["_HLS_part"], named: "_HLS_part")
        if part != nil, mediaSequence == nil {
            throw .badRequest("_HLS_part needs _HLS_msn: a part is counted within its segment")
        }
        switch directives["_HLS_skip"] {
        case nil: skip = .none
        case "YES": skip = .yes
        case "v2": skip = .v2
        default: throw .badRequest("_HLS_skip takes YES or v2")
        }
    }

    /// The answer may have to wait, and depends on the query: it may be cached for a moment only.
    package var isBlocking: Bool { mediaSequence != nil }

    private static func number(
        _ text: String?,
        named name: String
    ) throws(SegmentStoreError) -> UInt64? {
        guard let text else { return nil }
        guard let number = UInt64(decimalDigits: text.utf8) else {
            throw .badRequest("\(name) takes a decimal whole number of at most 64 bits")
        }
        return number
    }
}

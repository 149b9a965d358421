/// How long caches between Mirror and the viewers may keep an answer.
///
/// A cache collapses requests that wait for one answer only if that answer may be stored, so even
/// what changes all the time gets a second. Query strings are part of a cache's key: an answer to
/// `_HLS_msn` and `_HLS_part` is right for every viewer who asks the same, for as long as that part
/// is near the live edge; one target duration covers stragglers and is over before a stream that
/// ended and came back could be mistaken for itself.
///
/// Source: RFC 9111, 5.2.2; RFC 8246 (immutable). The directives are those of RFC 8216bis, 6.2.5.2; how
///         long their answers are kept is chosen here.
enum CachePolicy: Equatable {
    /// Initialization sections, segments and parts: their names are never used again.
    case immutable
    /// A playlist as it is now.
    case playlist
    /// A playlist that answers delivery directives.
    case blockingPlaylist(targetDurationSeconds: Int)
    /// Errors: what is missing now may be there in a moment.
    case none

    var headerValue: String {
        switch self {
        case .immutable: "public, max-age=31536000, immutable"
        case .playlist: "public, max-age=1"
        case .blockingPlaylist(let seconds): "public, max-age=\(seconds)"
        case .none: "no-store"
        }
    }
}

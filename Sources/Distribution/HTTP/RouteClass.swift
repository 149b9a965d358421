/// What kind of thing a request asks for: a closed set, safe as a metric label.
package enum RouteClass: String, Sendable, CaseIterable {
    case multivariantPlaylist = "multivariant_playlist"
    case mediaPlaylist = "media_playlist"
    case part
    case segment
    case initialization
    case api
    case health
    case metrics
    /// The console, the watch page and their assets.
    case page
    /// Under `/live/`, but nothing that exists there.
    case other

    /// By the shape of the path alone: whether there is such a thing is for the router to say.
    ///
    /// What follows a question mark is no part of it.
    package init(path: String) {
        let path = path.utf8.prefix { $0 != UInt8(ascii: "?") }
        guard path.starts(with: "/live/".utf8) else {
            self =
                if path.starts(with: "/api/".utf8) {
                    .api
                } else if path.starts(with: "/health/".utf8) {
                    .health
                } else if path.elementsEqual("/metrics".utf8) {
                    .metrics
                } else {
                    .page
                }
            return
        }
        let components = path.split(separator: UInt8(ascii: "/"))
        guard let name = components.last else {
            self = .other
            return
        }
        guard !name.elementsEqual("playlist.m3u8".utf8) else {
            self = components.count == 3 ? .multivariantPlaylist : .mediaPlaylist
            return
        }
        guard !name.elementsEqual("iframes.m3u8".utf8) else {
            self = .mediaPlaylist
            return
        }
        // As in `ResourceName`: what follows the last hyphen.
        let kind =
            name.lastIndex(of: UInt8(ascii: "-")).map { name[$0...] } ?? name[name.endIndex...]
        self =
            if kind.starts(with: "-part".utf8) {
                .part
            } else if kind.starts(with: "-seg".utf8) {
                .segment
            } else if kind.starts(with: "-init".utf8) {
                .initialization
            } else {
                .other
            }
    }
}

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
    package init(path: String) {
        guard path.hasPrefix("/live/") else {
            self =
                if path.hasPrefix("/api/") {
                    .api
                } else if path.hasPrefix("/health/") {
                    .health
                } else if path == "/metrics" {
                    .metrics
                } else {
                    .page
                }
            return
        }
        let components = path.split(separator: "/")
        guard let name = components.last else {
            self = .other
            return
        }
        if name == "playlist.m3u8" {
            self = components.count == 3 ? .multivariantPlaylist : .mediaPlaylist
        } else if name.contains("-part") {
            self = .part
        } else if name.contains("-seg") {
            self = .segment
        } else if name.contains("-init") {
            self = .initialization
        } else {
            self = .other
        }
    }
}

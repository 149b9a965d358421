package import Logging

/// The pages a person opens: the list of streams, and the player.
///
/// Plain HTML, CSS and ES modules, compiled into the binary. Only hls.js comes from a folder.
package struct Console: Sendable {
    let index: WebAsset
    let watch: WebAsset
    /// Files under `/assets/`, by name.
    let assets: [String: WebAsset]
    let playerLibrary: PlayerLibrary?

    /// Reads the player library once; a missing one is logged, and the pages say what to do.
    ///
    /// `webAssetsDirectory` is where `scripts/fetch-web-assets` put hls.js.
    package init(webAssetsDirectory: String, logger: Logger) {
        let html = "text/html; charset=utf-8"
        let script = "text/javascript; charset=utf-8"
        index = WebAsset(PackageResources.index_html, contentType: html)
        watch = WebAsset(PackageResources.watch_html, contentType: html)
        assets = [
            "mirror.css": WebAsset(
                PackageResources.mirror_css,
                contentType: "text/css; charset=utf-8"
            ),
            "icon.svg": WebAsset(PackageResources.icon_svg, contentType: "image/svg+xml"),
            "format.js": WebAsset(PackageResources.format_js, contentType: script),
            "index.js": WebAsset(PackageResources.index_js, contentType: script),
            "player.js": WebAsset(PackageResources.player_js, contentType: script),
            "steering.js": WebAsset(PackageResources.steering_js, contentType: script),
            "watch.js": WebAsset(PackageResources.watch_js, contentType: script),
        ]
        playerLibrary = PlayerLibrary.load(from: webAssetsDirectory, logger: logger)
    }
}

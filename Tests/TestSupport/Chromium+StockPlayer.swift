extension Chromium {
    /// Plays with hls.js as it comes, in low-latency mode: no error handler, no steering, no page of ours.
    ///
    /// The page must be one that may run scripts of the server's, as `about:blank` is.
    ///
    /// `playlist` is the URL of a multivariant playlist, `address` the server that hands out
    /// `/assets/hls.min.js`.
    package func playWithStockPlayer(_ playlist: String, from address: String) async throws {
        try await evaluate(
            """
            (async () => {
              document.body.innerHTML = '<video muted autoplay></video>';
              await new Promise((resolve, reject) => {
                const script = document.createElement('script');
                script.src = '\(address)/assets/hls.min.js';
                script.onload = resolve;
                script.onerror = () => reject(new Error('no hls.js'));
                document.head.append(script);
              });
              const hls = new Hls({ lowLatencyMode: true });
              hls.loadSource('\(playlist)');
              hls.attachMedia(document.querySelector('video'));
            })()
            """
        )
    }
}

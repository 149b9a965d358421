import TestSupport
import Testing

/// What a viewer's `<video>` went through, at one moment.
struct Playback: Sendable {
    /// Seconds.
    let position: Double
    let decodedPictureBytes: Double
    let decodedSoundBytes: Double
    /// Times it stood still, as our page counts; zero on another page.
    let stalls: Double
}

extension Chromium {
    /// Opens our page for a stream and waits for its picture.
    func watch(
        _ name: String,
        on mirror: MirrorProcess,
        over version: Viewer.Version = .http2
    ) async throws {
        let address = version == .http3 ? mirror.http3Address : mirror.address
        try await navigate(to: "\(address)/watch/\(name)")
        // Every request is to be kept: as it comes, a page keeps 250.
        try await evaluate("performance.setResourceTimingBufferSize(100000)")
        try await waitForPicture()
    }

    /// Opens our page for a stream that is still to come, whose player can then be reached.
    func awaitStream(_ name: String, on mirror: MirrorProcess) async throws {
        try await navigate(to: "\(mirror.address)/watch/\(name)")
        try await wait(for: "mirrorPlayer.state === 'waiting'")
        // The page makes its player when the stream is there.
        try await evaluate(
            """
            window.Hls = class extends Hls {
              constructor(options) { super(options); window.reachedPlayer = this; }
            }; true
            """
        )
    }

    /// Waits until something has been played, of the media that is attached.
    func waitForPicture() async throws {
        try await wait(
            for: """
                (({ played }) => played.length > 0 && played.end(0) - played.start(0) > 0.2)(
                  document.querySelector('video'))
                """,
            atMost: .seconds(60)
        )
    }

    /// Waits until this much more has been played.
    func waitForPlayback(of seconds: Double, atMost limit: Duration) async throws {
        let end = try await playback.position + seconds
        try await wait(
            for: "document.querySelector('video').currentTime > \(end)",
            atMost: limit
        )
    }

    var playback: Playback {
        get async throws {
            let values = try await evaluate(
                """
                (() => {
                  const video = document.querySelector('video');
                  return [
                    video.currentTime, video.webkitVideoDecodedByteCount,
                    video.webkitAudioDecodedByteCount, window.mirrorPlayer?.stalls ?? 0,
                  ];
                })()
                """
            ).numbers
            try #require(values.count == 4)
            return Playback(
                position: values[0],
                decodedPictureBytes: values[1],
                decodedSoundBytes: values[2],
                stalls: values[3]
            )
        }
    }

    /// Remembers of every stall what was buffered; see `stallReport`.
    func watchForStalls() async throws {
        try await evaluate(
            """
            window.stallsSeen = [];
            document.querySelector('video').addEventListener('waiting', ({ target: video }) => {
              const ranges = [...Array(video.buffered.length).keys()]
                .map((index) => `${video.buffered.start(index)}-${video.buffered.end(index)}`);
              stallsSeen.push({ at: performance.now(), position: video.currentTime, ranges });
            });
            0
            """
        )
    }

    /// Every stall since `watchForStalls`, and the requests of the stream around it.
    ///
    /// A line a request: when it was put, answered and whole, in milliseconds from the stall.
    var stallReport: String {
        get async throws {
            let text = try await evaluate(
                """
                stallsSeen.map(({ at, position, ranges }) => [
                  `stall at ${position}, buffered ${ranges.join(' ')}`,
                  ...performance.getEntriesByType('resource')
                    .filter(({ name, responseEnd, startTime }) => name.includes('/live/')
                      && responseEnd > at - 3000 && startTime < at + 1000)
                    .map(({ name, startTime, responseStart, responseEnd, encodedBodySize }) =>
                      [startTime, responseStart, responseEnd].map((time) => Math.round(time - at))
                        .join(' ') + ` ${encodedBodySize} B ${name.split('/live/')[1]}`),
                ].join('\\n')).join('\\n')
                """
            )
            return text.string ?? ""
        }
    }

    /// What each request for the stream went over, as ALPN names it, and how many did.
    var protocols: [String: Int] {
        get async throws {
            let names = try await evaluate(
                """
                performance.getEntriesByType('resource')
                  .filter(({ name }) => new URL(name).pathname.startsWith('/live/'))
                  .map(({ nextHopProtocol }) => nextHopProtocol)
                """
            )
            let words = (names.array ?? []).compactMap(\.string)
            return Dictionary(words.map { ($0, 1) }, uniquingKeysWith: +)
        }
    }

    /// The words a viewer sees in an element.
    func text(_ selector: String) async throws -> String {
        try await evaluate("document.querySelector('\(selector)').innerText").string ?? ""
    }
}

import Foundation
import TestSupport
import Testing

/// A Mirror that several tests share, with a stream on air that none of them may disturb.
struct WatchedMirror: Sendable {
    let mirror: MirrorProcess
    let viewer: Viewer
    private let steady: Publisher

    /// With so few and small streams, all that is held for a window is a fraction of it.
    private static let memoryLimit = 400 << 20
    private static let path = "/live/steady/video/playlist.m3u8"

    init(yaml: String) async throws {
        mirror = try await MirrorProcess(yaml: yaml)
        viewer = Viewer(mirror.address)
        // A long latency: what the machine is too busy for is sent again, and no test sees it.
        steady = try Publisher.ffmpeg(
            MirrorProcess.fixture("h264.ts"),
            to: mirror.publishURL("steady", "&latency=3000000")
        )
        _ = try await viewer.waitFor("/live/steady/playlist.m3u8")
    }

    /// The process lives within its memory, and the steady stream goes on as if nothing had been.
    func expectUnharmed(_ location: SourceLocation = #_sourceLocation) async throws {
        #expect(mirror.process.isRunning, "\(mirror.lastWords)", sourceLocation: location)
        let bytes = mirror.residentBytes
        #expect(bytes < Self.memoryLimit, "\(bytes >> 20) MB", sourceLocation: location)
        let before = try await viewer.playlist(Self.path)
        let sequence = before.openMediaSequence
        let next = try await viewer.ask("\(Self.path)?_HLS_msn=\(sequence)&_HLS_part=0")
        #expect(next.status == 200, "\(next.text)", sourceLocation: location)
        let description = try #require(try await mirror.stream("steady", by: viewer))
        #expect(description["state"] == "live", sourceLocation: location)
        for count in [
            "ingest.transport_stream.continuity_errors", "packaging.discontinuities",
            "packaging.frame_gaps",
        ] {
            #expect(description[path: count] == 0, "\(count)", sourceLocation: location)
        }
        let errors = mirror.logged("\"level\":\"error\"") + mirror.logged("\"level\":\"critical\"")
        #expect(errors.isEmpty, sourceLocation: location)
    }

    /// Publishes and waits until the stream's description fulfils a condition.
    ///
    /// - Returns: The description that did, or the last one.
    func describe(
        _ name: String,
        within limit: Duration = .seconds(20),
        once condition: (JSONValue) -> Bool
    ) async throws -> JSONValue {
        var latest = JSONValue.null
        _ = try await eventually(within: limit) {
            guard let description = try await mirror.stream(name, by: viewer) else { return false }
            latest = description
            return condition(description)
        }
        return latest
    }

    /// Asks until the playlist fulfils a condition.
    ///
    /// - Returns: The playlist that did, or the last one.
    func playlist(
        _ path: String,
        once condition: (MediaPlaylist) -> Bool
    ) async throws -> MediaPlaylist {
        var latest = try await viewer.playlist(path)
        _ = try await eventually {
            latest = try await viewer.playlist(path)
            return condition(latest)
        }
        return latest
    }

    func adviceCodes(_ description: JSONValue) -> [String] {
        (description[path: "packaging.advice"]?.array ?? []).compactMap { $0["code"]?.string }
    }
}

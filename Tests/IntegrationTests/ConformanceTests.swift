import Foundation
import NIOCore
import TestSupport
import Testing

/// A live stream, watched for half a minute, keeps rules 1 to 12 of the low-latency HLS profile.
@Suite struct ConformanceTests {
    /// The window outgrows six target durations of four seconds while it is watched, so that delta
    /// updates come into it.
    private static let yaml = "packaging: { window: 30s }\n"

    @Test(arguments: LiveSource.allCases)
    func aLiveStreamKeepsTheRules(_ source: LiveSource) async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let publisher = try await source.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        let multivariant = try await viewer.waitFor("/live/live/playlist.m3u8")
        #expect(multivariant.status == 200, "\(multivariant.text)")
        #expect(multivariant.text.contains(source.codecs), "\(multivariant.text)")

        let paths = ["/live/live/video/playlist.m3u8", "/live/live/audio1/playlist.m3u8"]
        let followers = try await withThrowingTaskGroup(of: PlaylistFollower.self) { group in
            for path in paths {
                group.addTask {
                    var follower = PlaylistFollower(viewer: viewer, path: path)
                    try await follower.follow(for: .seconds(34))
                    return follower
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for follower in followers {
            #expect(follower.violations.isEmpty, "\(follower.path)")
            #expect(follower.parts > 60, "\(follower)")
            #expect(follower.segments > 10, "\(follower)")
            #expect(follower.hints > 60, "\(follower)")
            #expect(follower.deltas > 10, "\(follower)")
        }
        try await Self.expectAlignedRenditions(viewer, paths)
        try await Self.expectTrueDurations(viewer, paths[0])
        try await viewer.shutDown()
    }

    /// The same media sequence number is the same stretch of time in every rendition.
    private static func expectAlignedRenditions(_ viewer: Viewer, _ paths: [String]) async throws {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        var dates: [[Int: Date]] = []
        for path in paths {
            let playlist = try await viewer.playlist(path)
            dates.append(
                Dictionary(
                    uniqueKeysWithValues: playlist.segments.compactMap { segment in
                        segment.programDateTime.flatMap(format.date(from:)).map {
                            (segment.mediaSequence, $0)
                        }
                    }
                )
            )
        }
        var common = 0
        for (sequence, date) in dates[0] {
            guard let other = dates[1][sequence] else { continue }
            common += 1
            #expect(abs(date.timeIntervalSince(other)) < 0.05, "segment \(sequence)")
        }
        #expect(common > 5)
    }

    /// EXTINF is what ffprobe finds in the media.
    private static func expectTrueDurations(_ viewer: Viewer, _ path: String) async throws {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) + "/"
        let playlist = try await viewer.playlist(path)
        let segment = try #require(playlist.segments.dropLast().last)
        var bytes = try await viewer.ask(folder + (try #require(segment.map))).body
        bytes.writeImmutableBuffer(try await viewer.ask(folder + segment.uri).body)
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).mp4")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes.readableBytesView).write(to: file)
        let probe = try await ExternalProcess.run(
            "ffprobe",
            [
                "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time",
                "-of", "csv=p=0", file.path,
            ]
        )
        let times = probe.text.split(separator: "\n")
            .compactMap { Double($0.trimmingCharacters(in: [","])) }.sorted()
        let frame = zip(times, times.dropFirst()).map { $1 - $0 }.min() ?? 0
        let total = (times.last ?? 0) - (times.first ?? 0) + frame
        #expect(
            abs(total - segment.duration) < 0.002,
            "\(total) is not \(segment.duration): \(probe.text)\(probe.errors)"
        )
    }

    /// Rules 3, 4, 8 and 10, asked of one stream.
    @Test func requestsAreAnsweredAsTheProfileSays() async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        let path = "/live/live/video/playlist.m3u8"
        let playlist = try await viewer.playlist(path)
        let open = playlist.openMediaSequence

        // Rule 3: the whole segment, then its first part's successor.
        let whole = try MediaPlaylist(try await viewer.ask("\(path)?_HLS_msn=\(open)").text)
        #expect(whole.openMediaSequence > open)
        #expect(try await viewer.ask("\(path)?_HLS_part=0").status == 400)
        // Rule 4.
        for sequence in [
            "\(open + 5)", "1000000000000000000", "-1", "x", "99999999999999999999999",
        ] {
            let answer = try await viewer.ask("\(path)?_HLS_msn=\(sequence)")
            #expect(answer.status == 400, "\(sequence)")
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
        #expect(try await viewer.ask("\(path)?_HLS_msn=0").status == 200)
        // Rule 10.
        let segment = try #require(try await viewer.playlist(path).segments.last)
        let uri = "/live/live/video/\(segment.uri)"
        let get = try await viewer.ask(uri)
        let head = try await viewer.ask(uri, method: "HEAD")
        #expect(head.status == 200 && head.body.readableBytes == 0)
        #expect(head.headers["content-length"] == "\(get.body.readableBytes)")
        #expect(get.headers["content-length"] == "\(get.body.readableBytes)")
        let range = try await viewer.ask(uri, headers: [("range", "bytes=100-199")])
        #expect(range.status == 206)
        #expect(range.body == get.body.getSlice(at: 100, length: 100))
        #expect(
            range.headers["content-range"] == "bytes 100-199/\(get.body.readableBytes)"
        )
        let tag = try #require(get.headers["etag"])
        #expect(try await viewer.ask(uri, headers: [("if-none-match", tag)]).status == 304)
        #expect(try #require(get.headers["cache-control"]).contains("immutable"))
        // What is not there.
        for missing in [
            "/live/nothing/playlist.m3u8", "/live/live/nothing/playlist.m3u8",
            "/live/live/video/nothing.m4s", "/live/..%2f..%2fetc/playlist.m3u8",
        ] {
            let answer = try await viewer.ask(missing)
            #expect((400..<500).contains(answer.status), "\(missing): \(answer.status)")
            #expect(answer.headers["cache-control"]?.contains("no-store") == true)
        }
        try await viewer.shutDown()
    }
}

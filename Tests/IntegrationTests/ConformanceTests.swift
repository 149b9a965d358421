import Foundation
import NIOCore
import TestSupport
import Testing

/// A live stream, watched for half a minute, keeps rules 1 to 12 of the low-latency HLS profile.
@Suite struct ConformanceTests {
    /// The window outgrows six target durations of four seconds while it is watched, so that delta
    /// updates come into it.
    private static let yaml = "packaging: { window: 30s }\n"

    /// The three versions of HTTP are watched at the same time.
    @Test(arguments: LiveSource.allCases)
    func aLiveStreamKeepsTheRulesOverEveryVersion(_ source: LiveSource) async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let publisher = try await source.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let viewers = try Viewer.Version.allCases.map { try Viewer(of: mirror, over: $0) }
        for (viewer, version) in zip(viewers, Viewer.Version.allCases) {
            let multivariant = try await viewer.waitFor("/live/live/playlist.m3u8")
            #expect(multivariant.version == version)
            #expect(multivariant.status == 200, "\(multivariant.text)")
            #expect(multivariant.text.contains(source.codecs), "\(multivariant.text)")
        }

        let paths = ["/live/live/video/playlist.m3u8", "/live/live/audio1/playlist.m3u8"]
        let followers = try await Self.follow(paths, by: viewers)
        for follower in followers {
            #expect(follower.violations.isEmpty, "\(follower)")
            #expect(follower.parts > 60, "\(follower)")
            #expect(follower.segments > 10, "\(follower)")
            #expect(follower.hints > 60, "\(follower)")
            #expect(follower.deltas > 10, "\(follower)")
        }
        for path in paths {
            let same = followers.filter { $0.path == path }
            for (one, other) in zip(same, same.dropFirst()) {
                #expect(one.contradictions(to: other) == [], "\(one) \(other)")
            }
        }
        try await Self.expectAlignedRenditions(viewers[0], paths)
        try await Self.expectTrueDurations(viewers[0], paths[0])
        try await Self.expectIFrames(viewers[0], paths[0])
        for viewer in viewers { try await viewer.shutDown() }
    }

    private static func follow(
        _ paths: [String],
        by viewers: [Viewer]
    ) async throws -> [PlaylistFollower] {
        try await withThrowingTaskGroup(of: PlaylistFollower.self) { group in
            for viewer in viewers {
                for path in paths {
                    group.addTask {
                        var follower = PlaylistFollower(viewer: viewer, path: path)
                        try await follower.follow(for: .seconds(34))
                        return follower
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// The same media sequence number is the same stretch of time in every rendition, and the same
    /// date is the same `tfdt`.
    ///
    /// hls.js lays the playlist of the sound beside the picture's by dates or by discontinuities, and
    /// the media by `tfdt`. Were these apart by more than a part lasts, it would take the part for one
    /// that it has, and leave a hole.
    private static func expectAlignedRenditions(_ viewer: Viewer, _ paths: [String]) async throws {
        var renditions: [[Int: (date: Double, decodeTime: Double)]] = []
        for path in paths {
            var segments: [Int: (date: Double, decodeTime: Double)] = [:]
            for segment in try await viewer.playlist(path).segments.suffix(8) {
                segments[segment.mediaSequence] = (
                    try #require(segment.date), try await viewer.decodeTime(of: segment, in: path)
                )
            }
            renditions.append(segments)
        }
        var common = 0
        for (sequence, picture) in renditions[0] {
            guard let sound = renditions[1][sequence] else { continue }
            common += 1
            // Half a frame of sound, and dates are written in whole milliseconds.
            let apart = sound.decodeTime - picture.decodeTime
            #expect(abs(apart) < 0.011, "segment \(sequence): \(picture), \(sound)")
            let error = sound.date - picture.date - apart
            #expect(abs(error) < 0.001_1, "segment \(sequence): \(picture), \(sound)")
        }
        #expect(common > 5)
    }

    /// A player that scrubs gets a picture for each segment, in any order, from a few of its bytes.
    private static func expectIFrames(_ viewer: Viewer, _ path: String) async throws {
        let folder = MediaPlaylist.folder(of: path)
        let multivariant = try await viewer.ask("/live/live/playlist.m3u8").text
        #expect(multivariant.contains(",URI=\"video/iframes.m3u8\""), "\(multivariant)")
        let text = try await viewer.ask(folder + "iframes.m3u8").text
        let lines = text.split(separator: "\n")
        #expect(lines.contains("#EXT-X-I-FRAMES-ONLY"), "\(text)")
        let playlist = try MediaPlaylist(text)
        let ranges = lines.filter { $0.hasPrefix("#EXT-X-BYTERANGE:") }.compactMap {
            Int($0.dropFirst("#EXT-X-BYTERANGE:".count).prefix { $0 != "@" })
        }
        #expect(ranges.count == playlist.segments.count && ranges.count > 5, "\(text)")
        for (segment, length) in zip(playlist.segments, ranges).suffix(3).reversed() {
            var bytes = try await viewer.ask(folder + (try #require(segment.map))).body
            let whole = try await viewer.ask(folder + segment.uri).body
            #expect(length < whole.readableBytes / 2)
            bytes.writeImmutableBuffer(try #require(whole.getSlice(at: 0, length: length)))
            #expect(try await pictures(in: bytes) == 1, "\(segment)")
        }
    }

    private static func pictures(in bytes: ByteBuffer) async throws -> Int {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).mp4")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes.readableBytesView).write(to: file)
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "quiet", "-i", file.path, "-f", "framemd5", "-"]
        )
        return shown.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.count
    }

    /// EXTINF is what ffprobe finds in the media.
    private static func expectTrueDurations(_ viewer: Viewer, _ path: String) async throws {
        let folder = MediaPlaylist.folder(of: path)
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
    @Test func requestsAreAnsweredAsTheProfileSaysAndAlikeOverEveryVersion() async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        try await viewer.waitForSegments(of: "live", count: 1)
        let known = try await viewer.playlist(Self.path)
        // HTTP/3 twice: by aioquic and by qh3.
        let viewers =
            try Viewer.Version.allCases.map { try Viewer(of: mirror, over: $0) } + [
                Viewer(of: mirror, with: try HTTP3Client(port: mirror.http3Port, ["--qh3"]))
            ]
        let answers = try await withThrowingTaskGroup(of: [String: Viewer.Answer].self) { group in
            for viewer in viewers {
                group.addTask {
                    let answers = try await Self.expectProfile(of: viewer, known)
                    for (request, answer) in answers {
                        #expect(answer.version == viewer.version, "\(request)")
                    }
                    return answers
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for other in answers.dropFirst() {
            #expect(other.keys == answers[0].keys)
            for (request, answer) in other {
                Self.expectAlike(answer, try #require(answers[0][request]), request)
            }
        }
        try await Self.expectOneAnswerToAllWhoWait(viewers)
        for viewer in viewers + [viewer] { try await viewer.shutDown() }
    }

    /// One part wakes all, and they are told the same.
    private static func expectOneAnswerToAllWhoWait(_ viewers: [Viewer]) async throws {
        let sequence = try await viewers[0].playlist(path).openMediaSequence + 1
        let answers = try await withThrowingTaskGroup(of: Viewer.Answer.self) { group in
            for viewer in viewers {
                group.addTask {
                    try await viewer.ask("\(path)?_HLS_msn=\(sequence)&_HLS_part=3")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let playlist = try MediaPlaylist(answers[0].text)
        #expect(playlist.openMediaSequence == sequence && playlist.openParts.count == 4)
        for other in answers.dropFirst() { expectAlike(other, answers[0], "a playlist waited for") }
    }

    private static let path = "/live/live/video/playlist.m3u8"

    /// - Returns: The answers that do not depend on when they were given, by request.
    private static func expectProfile(
        of viewer: Viewer,
        _ known: MediaPlaylist
    ) async throws -> [String: Viewer.Answer] {
        var answers: [String: Viewer.Answer] = [:]
        func ask(
            _ path: String,
            method: String = "GET",
            headers: [(String, String)] = []
        ) async throws -> Viewer.Answer {
            let answer = try await viewer.ask(path, method: method, headers: headers)
            answers["\(method) \(path) \(headers)"] = answer
            return answer
        }
        // Rule 3: the whole segment, then its first part's successor.
        let open = try await viewer.playlist(path).openMediaSequence
        let whole = try MediaPlaylist(try await viewer.ask("\(path)?_HLS_msn=\(open)").text)
        #expect(whole.openMediaSequence > open)
        #expect(try await ask("\(path)?_HLS_part=0").status == 400)
        // Rule 4.
        #expect(try await viewer.ask("\(path)?_HLS_msn=\(open + 5)").status == 400)
        for sequence in ["1000000000000000000", "-1", "x", "99999999999999999999999"] {
            let answer = try await ask("\(path)?_HLS_msn=\(sequence)")
            #expect(answer.status == 400, "\(sequence)")
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
        #expect(try await viewer.ask("\(path)?_HLS_msn=0").status == 200)
        // Rule 10.
        let segment = try #require(known.segments.last)
        let part = try #require(segment.parts.last)
        #expect(try await ask("/live/live/video/\(part.uri)").status == 200)
        let uri = "/live/live/video/\(segment.uri)"
        let get = try await ask(uri)
        let head = try await ask(uri, method: "HEAD")
        #expect(head.status == 200 && head.body.readableBytes == 0)
        #expect(head.headers["content-length"] == "\(get.body.readableBytes)")
        #expect(get.headers["content-length"] == "\(get.body.readableBytes)")
        let range = try await ask(uri, headers: [("range", "bytes=100-199")])
        #expect(range.status == 206)
        #expect(range.body == get.body.getSlice(at: 100, length: 100))
        #expect(
            range.headers["content-range"] == "bytes 100-199/\(get.body.readableBytes)"
        )
        #expect(try await ask(uri, headers: [("range", "bytes=99999999-")]).status == 416)
        let tag = try #require(get.headers["etag"])
        #expect(try await ask(uri, headers: [("if-none-match", tag)]).status == 304)
        #expect(try #require(get.headers["cache-control"]).contains("immutable"))
        #expect(try await ask("/live/live/video/\(try #require(segment.map))").status == 200)
        #expect(try await ask(path, method: "DELETE").status == 405)
        // What is not there.
        for missing in [
            "/live/nothing/playlist.m3u8", "/live/live/nothing/playlist.m3u8",
            "/live/live/video/nothing.m4s", "/live/..%2f..%2fetc/playlist.m3u8",
        ] {
            let answer = try await ask(missing)
            #expect((400..<500).contains(answer.status), "\(missing): \(answer.status)")
            #expect(answer.headers["cache-control"]?.contains("no-store") == true)
        }
        return answers
    }

    private static func expectAlike(
        _ one: Viewer.Answer,
        _ other: Viewer.Answer,
        _ request: String
    ) {
        let request = Comment(rawValue: "\(request) over \(one.version.rawValue)")
        // Of the moment, and of TCP: it tells where HTTP/3 is.
        let own: Set = ["date", "x-request-id", "alt-svc"]
        #expect(one.status == other.status, request)
        #expect(
            one.headers.filter { !own.contains($0.key) }
                == other.headers.filter { !own.contains($0.key) },
            request
        )
        if one.headers["content-type"] == "application/problem+json" {
            #expect(one.body.readableBytes == other.body.readableBytes, request)
        } else {
            #expect(one.body == other.body, request)
        }
    }
}

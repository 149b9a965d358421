import Foundation
import TestSupport
import Testing

/// A cache between Mirror and its viewers, as operators set one up: nginx.
@Suite(.serialized) struct CDNTests {
    /// One origin request for each object, however many wait for it.
    @Test func aCacheAsksOnceForWhatFiftyViewersWaitFor() async throws {
        let mirror = try await MirrorProcess(
            environment: ["MIRROR_SERVER_HTTP_PORT": "\(FreePort.tcp)"]
        )
        let nginx = try Nginx(origin: mirror.httpPort, folder: mirror.folder)
        defer { nginx.stop() }
        let publisher = try Publisher.ffmpeg(
            MirrorProcess.fixture("h264.ts"),
            to: mirror.publishURL("live")
        )
        defer { publisher.stop() }
        let viewer = Viewer(nginx.address)
        let origin = Viewer(mirror.address)
        // nginx does not say when it listens.
        let isUp = try await eventually { (try? await viewer.ask("/")) != nil }
        #expect(isUp, "\(nginx.errors)")
        let missing = try await viewer.ask("/live/live/video/nothing.m4s")
        #expect(missing.status == 404)
        _ = try await origin.waitFor("/live/live/playlist.m3u8")

        let path = "/live/live/video/playlist.m3u8"
        let playlist = try await origin.playlist(path)
        let question = "\(path)?_HLS_msn=\(playlist.openMediaSequence + 1)&_HLS_part=0"
        let answers = try await withThrowingTaskGroup(of: Viewer.Answer.self) { group in
            for _ in 0..<50 { group.addTask { try await viewer.ask(question) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 })
        #expect(Set(answers.map(\.text)).count == 1, "viewers got different playlists")
        let asked = answers.compactMap { $0.headers["x-cache"] }.filter { $0 != "HIT" }
        #expect(asked == ["MISS"], "requests for the origin")

        // Parts and segments are kept.
        let fresh = try MediaPlaylist(answers[0].text)
        let part = try #require(fresh.allParts.last)
        let segment = try #require(fresh.segments.last)
        for uri in [part.uri, segment.uri] {
            let first = try await viewer.ask("/live/live/video/\(uri)")
            #expect(first.status == 200 && first.headers["x-cache"] == "MISS", "\(first.headers)")
            let second = try await viewer.ask("/live/live/video/\(uri)")
            #expect(second.headers["x-cache"] == "HIT", "\(second.headers)")
            #expect(second.body == first.body)
        }
        // What is missing now may be there in a moment: no 404 is kept.
        for _ in 0..<2 {
            let again = try await viewer.ask("/live/live/video/nothing.m4s")
            #expect(again.status == 404 && again.headers["x-cache"] != "HIT", "\(again.headers)")
        }
        #expect(nginx.process.isRunning, "\(nginx.errors)")
    }
}

/// nginx in front of Mirror's plain HTTP port, caching as it is told by the answers.
private struct Nginx {
    let process: ExternalProcess
    let address: String
    private let log: String

    init(origin: Int, folder: URL) throws {
        let port = FreePort.tcp
        let root = folder.appending(path: "nginx").path
        log = "\(root)/error.log"
        try FileManager.default.createDirectory(
            atPath: root,
            withIntermediateDirectories: true
        )
        let configuration = """
            daemon off;
            pid \(root)/pid;
            error_log \(log);
            events { worker_connections 512; }
            http {
                access_log off;
                client_body_temp_path \(root)/body;
                proxy_temp_path \(root)/proxy;
                fastcgi_temp_path \(root)/fastcgi;
                uwsgi_temp_path \(root)/uwsgi;
                scgi_temp_path \(root)/scgi;
                proxy_cache_path \(root)/cache keys_zone=live:4m;
                server {
                    listen 127.0.0.1:\(port);
                    location / {
                        proxy_pass http://127.0.0.1:\(origin);
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_cache live;
                        proxy_cache_lock on;
                        proxy_cache_lock_timeout 30s;
                        proxy_cache_lock_age 30s;
                        add_header X-Cache $upstream_cache_status always;
                    }
                }
            }
            """
        let file = "\(root)/nginx.conf"
        try Data(configuration.utf8).write(to: URL(filePath: file))
        process = try ExternalProcess("nginx", ["-e", log, "-c", file])
        address = "http://127.0.0.1:\(port)"
    }

    var errors: String {
        process.errors + ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
    }

    /// SIGKILL would leave its workers behind.
    func stop() {
        process.signal(SIGTERM)
    }
}

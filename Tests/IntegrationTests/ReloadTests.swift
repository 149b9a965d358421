import Foundation
import TestSupport
import Testing

/// What changes while Mirror runs changes without dropping anybody.
@Suite(.serialized) struct ReloadTests {
    private static let clip = MirrorProcess.fixture("h264.ts")

    private static func yaml(passphrase: String) -> String {
        "streams: [{ match: \"locked*\", passphrase: \"\(passphrase)\" }]\n"
    }

    @Test func newStreamRulesHoldForWhoComesAndDropNobody() async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml(passphrase: "first-passphrase"))
        let viewer = Viewer(mirror.address)
        let onAir = try Publisher.ffmpeg(
            Self.clip,
            to: mirror.publishURL("locked", "&passphrase=first-passphrase&latency=2000000")
        )
        defer { onAir.stop() }
        _ = try await viewer.waitFor("/live/locked/playlist.m3u8")
        let path = "/live/locked/video/playlist.m3u8"
        let before = try await viewer.playlist(path)
        async let blocked = viewer.ask("\(path)?_HLS_msn=\(before.openMediaSequence + 1)")

        try mirror.rewriteConfiguration(Self.yaml(passphrase: "second-passphrase"))
        mirror.process.signal(SIGHUP)
        #expect(
            try await eventually { !mirror.logged("configuration reloaded", "signal").isEmpty },
            "\(mirror.lastWords)"
        )
        try await Self.expect(mirror, "locked-1", "second-passphrase", isAdmitted: true, viewer)
        try await Self.expect(mirror, "locked-2", "first-passphrase", isAdmitted: false, viewer)

        // No signal this time: the file is noticed.
        try mirror.rewriteConfiguration(Self.yaml(passphrase: "third-passphrase"))
        let isNoticed = try await eventually {
            mirror.logged("configuration reloaded", "files", "\"changed\":\"streams\"").count >= 1
        }
        #expect(isNoticed, "\(mirror.lastWords)")
        try await Self.expect(mirror, "locked-3", "third-passphrase", isAdmitted: true, viewer)

        // A file that is wrong changes nothing, and says so.
        try mirror.rewriteConfiguration("streams: [{ mach: \"locked*\" }]\n")
        #expect(
            try await eventually { !mirror.logged("configuration kept as it was").isEmpty },
            "\(mirror.lastWords)"
        )
        try await Self.expect(mirror, "locked-4", "third-passphrase", isAdmitted: true, viewer)

        #expect(try await blocked.status == 200)
        #expect(onAir.process.isRunning)
        let description = try #require(try await mirror.stream("locked", by: viewer))
        #expect(description[path: "packaging.discontinuities"] == 0, "\(description)")
        #expect(description[path: "publisher.srt.encryption"] != "none", "\(description)")
        for word in ["first-pass", "second-pass", "third-pass"] {
            #expect(!mirror.log.contains(word), "a secret is in the log")
        }
    }

    @Test func aPassphraseThatComesWithTheReloadIsToldToNewcomers() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        func isPassphraseRequired() async throws -> JSONValue? {
            let answer = try await viewer.ask("/api/v1/server")
            let server = try JSONDecoder().decode(JSONValue.self, from: answer.data)
            return server[path: "publish.is_passphrase_required"]
        }
        #expect(try await isPassphraseRequired() == false)
        try mirror.rewriteConfiguration("ingestion: { srt: { passphrase: \"correct-horse\" } }\n")
        mirror.process.signal(SIGHUP)
        #expect(
            try await eventually { try await isPassphraseRequired() == true },
            "\(mirror.lastWords)"
        )
    }

    private static func expect(
        _ mirror: MirrorProcess,
        _ name: String,
        _ passphrase: String,
        isAdmitted: Bool,
        _ viewer: Viewer,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let publisher = try Publisher.ffmpeg(
            clip,
            to: mirror.publishURL(name, "&passphrase=\(passphrase)")
        )
        defer { publisher.stop() }
        if isAdmitted {
            let isThere = try await eventually {
                try await mirror.stream(name, by: viewer) != nil
            }
            #expect(isThere, "\(mirror.lastWords)", sourceLocation: location)
        } else {
            let status = await publisher.process.wait(atMost: .seconds(20)).status
            #expect(status != 0, "\(name) was let in", sourceLocation: location)
        }
    }

    @Test func aNewCertificateIsServedAndNobodyIsDropped() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        defer { publisher.stop() }
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        let path = "/live/live/video/playlist.m3u8"
        let open = try await viewer.playlist(path).openMediaSequence
        async let blocked = viewer.ask("\(path)?_HLS_msn=\(open + 1)")
        let old = try await Self.fingerprint(mirror)

        let folder = mirror.folder.appending(path: "next")
        try await ExternalProcess.run(MirrorProcess.binary.path, ["certs", "--out", folder.path])
        for name in ["key.pem", "cert.pem"] {
            try Data(contentsOf: folder.appending(path: name))
                .write(to: mirror.folder.appending(path: name))
        }
        mirror.process.signal(SIGHUP)
        let isNew = try await eventually { try await Self.fingerprint(mirror) != old }
        #expect(isNew, "\(mirror.lastWords)")
        #expect(try await blocked.status == 200)
        #expect(publisher.process.isRunning)

        // Half a certificate changes nothing.
        let new = try await Self.fingerprint(mirror)
        try Data("-----BEGIN".utf8).write(to: mirror.folder.appending(path: "cert.pem"))
        mirror.process.signal(SIGHUP)
        #expect(
            try await eventually { !mirror.logged("certificate kept as it was").isEmpty },
            "\(mirror.lastWords)"
        )
        #expect(try await Self.fingerprint(mirror) == new)
    }

    /// Of the certificate that a new connection is shown.
    private static func fingerprint(_ mirror: MirrorProcess) async throws -> String {
        try await ExternalProcess.run(
            "bash",
            [
                "-c",
                """
                openssl s_client -connect 127.0.0.1:\(mirror.httpsPort) </dev/null 2>/dev/null |
                    openssl x509 -noout -fingerprint -sha256
                """,
            ]
        ).text
    }
}

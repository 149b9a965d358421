import Foundation
import TestSupport
import Testing

/// Sound that GStreamer sends as linear PCM, as viewers hear it: with ffmpeg's ears.
@Suite(.serialized) struct LinearPCMTests {
    /// Each second a flash of 0.4 s, and with it a tone: left of −12 dB, right of −18 dB.
    private static func writeClip(to path: String, rate: Int, channels: Int) async throws {
        let isOn = "gte(mod(t,1),0.3)*lt(mod(t,1),0.7)"
        let tones = ["0.25*sin(2*PI*1000*t)", "0.125*sin(2*PI*400*t)"].prefix(channels)
        let sound = tones.map { "\($0)*\(isOn)" }.joined(separator: "|")
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i",
                "color=black:s=160x90:r=50:d=120,drawbox=color=white:t=fill:enable='\(isOn)'",
                "-f", "lavfi", "-i", "aevalsrc='\(sound)':s=\(rate):d=120", "-c:v", "libx264",
                "-preset", "ultrafast", "-tune", "zerolatency", "-g", "50", "-pix_fmt", "yuv420p",
                "-c:a", "pcm_s24le", path,
            ]
        )
    }

    /// Whole segments of a rendition from `first` on, in one file.
    private static func save(
        _ rendition: String,
        from first: Int,
        to path: String,
        by viewer: Viewer
    ) async throws {
        let folder = "/live/stage/\(rendition)/"
        var segments: ArraySlice<MediaPlaylist.Segment> = []
        let areThere = try await eventually(within: .seconds(60)) {
            let playlist = try await viewer.playlist(folder + "playlist.m3u8")
            segments = playlist.segments.filter { $0.mediaSequence >= first }.prefix(4)
            return segments.count == 4
        }
        try #require(areThere)
        #expect(segments.dropFirst().allSatisfy { !$0.isDiscontinuity })
        let map = try #require(segments.first?.map)
        var media = try await viewer.ask(folder + map).data
        for segment in segments { media += try await viewer.ask(folder + segment.uri).data }
        try media.write(to: URL(filePath: path))
    }

    /// The numbers that ffmpeg says behind a name.
    private static func numbers(_ name: String, in text: String) -> [Double] {
        text.components(separatedBy: name).dropFirst().compactMap { rest in
            Double(rest.drop { $0 == " " }.prefix { "0123456789.-".contains($0) })
        }
    }

    @Test(arguments: [
        ("rtpL24pay", "L24/48000/2", 48_000, 2), ("rtpL16pay", "L16/44100", 44_100, 1),
    ])
    func viewersHearWhatWasSentWithItsPicture(
        payloader: String,
        map: String,
        rate: Int,
        channels: Int
    ) async throws {
        let mirror = try await MirrorProcess(yaml: "ingestion.rtp.extra_ports: none")
        let viewer = Viewer(mirror.address)
        let description = """
            v=0
            c=IN IP4 127.0.0.1
            m=video 5004 RTP/AVP 96
            a=rtpmap:96 H264/90000
            m=audio 5004 RTP/AVP 97
            a=rtpmap:97 \(map)
            """
        let answer = try await viewer.ask(
            "/api/v1/streams/stage/sdp",
            method: "PUT",
            body: description
        )
        #expect(answer.status == 200, "\(answer.text)")
        let clip = mirror.folder.appending(path: "clip.mkv").path
        try await Self.writeClip(to: clip, rate: rate, channels: channels)
        let to = "udpsink host=127.0.0.1 port=\(mirror.rtpPort)"
        let reportsTo = "udpsink host=127.0.0.1 port=\(mirror.rtcpPort) sync=false async=false"
        let pipeline = """
            rtpbin name=r filesrc location=\(clip) ! matroskademux name=d
            d.video_0 ! queue ! h264parse ! rtph264pay config-interval=-1 pt=96 ! r.send_rtp_sink_0
            r.send_rtp_src_0 ! \(to) r.send_rtcp_src_0 ! \(reportsTo)
            d.audio_0 ! queue ! audioconvert ! \(payloader) pt=97 ! r.send_rtp_sink_1
            r.send_rtp_src_1 ! \(to) r.send_rtcp_src_1 ! \(reportsTo)
            """
        let sender = try ExternalProcess(
            "gst-launch-1.0",
            ["-q"] + pipeline.split(whereSeparator: \.isWhitespace).map(String.init)
        )
        defer { sender.signal(SIGTERM) }
        var latest = JSONValue.null
        let isPlaced = try await eventually(within: .seconds(60)) {
            latest = try await mirror.stream("stage", by: viewer) ?? .null
            let streams = (0..<2).compactMap { latest[path: "publisher.rtp.streams"]?[$0] }
            return latest["state"] == "live" && streams.count == 2
                && streams.allSatisfy {
                    $0["clock"] == "sender_report"
                        && abs($0["offset_milliseconds"]?.number ?? 1_000) < 8
                }
        }
        #expect(isPlaced, "\(latest) \(sender.errors)")

        try await viewer.waitForSegments(of: "stage", count: 1)
        let (video, audio) = ("\(clip).video.mp4", "\(clip).audio.mp4")
        let first =
            try await viewer.playlist("/live/stage/video/playlist.m3u8").openMediaSequence + 1
        try await Self.save("video", from: first, to: video, by: viewer)
        try await Self.save("audio1", from: first, to: audio, by: viewer)
        let entries = "stream=codec_name,profile,sample_rate,channels"
        let probe = try await ExternalProcess.run(
            "ffprobe",
            ["-v", "error", "-show_entries", entries, "-of", "csv=p=0", audio]
        )
        #expect(probe.text == "aac,LC,\(rate),\(channels)\n")
        let seen = try await Self.measure(video, "-vf", "blackdetect=d=0.1:pix_th=0.3")
        let heard = try await Self.measure(audio, "-af", "silencedetect=n=-45dB:d=0.1,astats")
        let peaks = Self.numbers("Peak level dB:", in: heard).prefix(channels)
        #expect(zip(peaks, [-12.04, -18.06]).allSatisfy { abs($0 - $1) < 1 }, "\(peaks)")
        // Of a sine that is there for 0.4 of the time.
        let powers = Self.numbers("RMS level dB:", in: heard).prefix(channels)
        #expect(powers.count == channels)
        #expect(zip(powers, [-19.03, -25.05]).allSatisfy { abs($0 - $1) < 0.5 }, "\(powers)")
        // The last ends with the file.
        let flashes = Self.numbers("black_end:", in: seen).dropLast()
        let tones = Self.numbers("silence_end:", in: heard)
        #expect(flashes.count >= 6)
        for flash in flashes {
            #expect(tones.contains { abs($0 - flash) < 0.025 }, "\(flashes) \(tones)")
        }
    }

    private static func measure(_ file: String, _ kind: String, _ filters: String) async throws
        -> String
    {
        try await ExternalProcess.run(
            "ffmpeg",
            ["-hide_banner", "-nostats", "-copyts", "-i", file, kind, filters, "-f", "null", "-"]
        ).errors
    }
}

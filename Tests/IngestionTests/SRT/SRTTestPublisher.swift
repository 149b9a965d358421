import TestSupport

/// Programs that speak SRT to a test's listener or caller.
enum SRTTestPublisher {
    /// A live picture from ffmpeg, until it is killed or has sent so many seconds and closes.
    ///
    /// What goes behind the `?` of the URL is `query`.
    static func ffmpeg(
        port: Int,
        _ query: String,
        host: String = "127.0.0.1",
        seconds: Int = 60
    ) throws -> ExternalProcess {
        try ExternalProcess(
            "ffmpeg",
            [
                "-hide_banner", "-loglevel", "error", "-re", "-f", "lavfi", "-i",
                "testsrc=size=160x120:rate=25", "-t", "\(seconds)", "-c:v", "libx264", "-preset",
                "ultrafast", "-tune", "zerolatency", "-g", "25", "-f", "mpegts",
                "srt://\(host):\(port)?pkt_size=1316&\(query)",
            ]
        )
    }

    /// Tries to connect and waits until that is refused.
    ///
    /// The program writes libsrt's reason to its errors.
    static func connect(port: Int, _ query: String) async throws -> ExternalProcess.Result {
        let program = try ExternalProcess(
            "srt-live-transmit",
            [
                "-a:no", "-loglevel:warn", "srt://127.0.0.1:\(port)?\(query)", "file://con",
            ]
        )
        return await program.wait(atMost: .seconds(5))
    }
}

/// ffmpeg as a player: it takes a stream as any viewer does, and decodes it.
package final class Player: Sendable {
    package let process: ExternalProcess

    /// `options` go in front of the input.
    package init(playing url: String, _ options: [String] = []) throws {
        process = try ExternalProcess(
            "ffmpeg",
            [
                "-hide_banner", "-v", "error", "-nostats", "-progress", "pipe:1",
                "-tls_verify", "0",
            ] + options + ["-i", url, "-f", "null", "-"]
        )
    }

    /// Pictures decoded so far.
    package var frames: Int {
        let last = String(decoding: process.output, as: UTF8.self)
            .split(separator: "\n").last { $0.hasPrefix("frame=") }
        return last.flatMap { Int($0.dropFirst("frame=".count).filter(\.isNumber)) } ?? 0
    }
}

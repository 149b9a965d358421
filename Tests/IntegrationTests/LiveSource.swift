import Foundation
import TestSupport

/// A clip that is published over SRT in real time, as an encoder would send it.
enum LiveSource: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case h264, hevc, av1

    var testDescription: String { rawValue }

    /// How CODECS of the multivariant playlist begins.
    var codecs: String {
        switch self {
        case .h264: "CODECS=\"avc1."
        case .hevc: "CODECS=\"hvc1."
        case .av1: "CODECS=\"av01."
        }
    }

    func publish(to mirror: MirrorProcess, as name: String) async throws -> Publisher {
        switch self {
        case .h264, .hevc:
            try Publisher.ffmpeg(
                MirrorProcess.fixture("\(rawValue).ts"),
                to: mirror.publishURL(name)
            )
        case .av1:
            try await Publisher.av1(to: mirror.publishURL(name))
        }
    }
}

/// A program that publishes; stopped when dropped.
final class Publisher: Sendable {
    let process: ExternalProcess
    private let feed: Task<Void, any Error>?

    private init(process: ExternalProcess, feed: Task<Void, any Error>? = nil) {
        self.process = process
        self.feed = feed
    }

    deinit { stop() }

    func stop() {
        feed?.cancel()
        process.signal(SIGTERM)
    }

    /// The publisher dies without a word.
    func kill() {
        feed?.cancel()
        process.signal(SIGKILL)
    }

    /// Loops a transport stream in real time, without encoding it anew.
    static func ffmpeg(_ file: String, to url: String, _ options: [String] = []) throws -> Publisher
    {
        Publisher(
            process: try ExternalProcess(
                "ffmpeg",
                [
                    "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", file,
                    "-map", "0", "-c", "copy",
                ] + options + ["-f", "mpegts", url]
            )
        )
    }
}

import Foundation
import Synchronization

/// A program that publishes over SRT; it is stopped when it is dropped.
package final class Publisher: Sendable {
    package let process: ExternalProcess
    private let feed: PacedFeed?

    private init(process: ExternalProcess, feed: PacedFeed? = nil) {
        self.process = process
        self.feed = feed
    }

    deinit { stop() }

    package func stop() {
        feed?.cancel()
        process.signal(SIGTERM)
    }

    /// The publisher dies without a word.
    package func kill() {
        feed?.cancel()
        process.signal(SIGKILL)
    }

    /// For how long they go on to shake hands, in milliseconds: neither tries a second time, and 3 s, what they
    /// do by themselves, may be over on a machine that has too much to do.
    private static let patience = 10_000

    /// ffmpeg loops a transport stream in real time, without encoding it anew.
    ///
    /// `url` has a query.
    package static func ffmpeg(
        _ file: String,
        to url: String,
        _ options: [String] = []
    ) throws -> Publisher {
        Publisher(
            process: try ExternalProcess(
                "ffmpeg",
                [
                    "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", file,
                    "-map", "0", "-c", "copy",
                ] + options + ["-f", "mpegts", "\(url)&connect_timeout=\(patience)"]
            )
        )
    }

    /// ffmpeg makes a picture and sound of its own in real time; `options` say which and how.
    ///
    /// `url` has a query.
    package static func encoding(_ options: [String], to url: String) throws -> Publisher {
        Publisher(
            process: try ExternalProcess(
                "ffmpeg",
                ["-hide_banner", "-loglevel", "error", "-re"] + options
                    + ["-f", "mpegts", "\(url)&connect_timeout=\(patience)"]
            )
        )
    }

    /// srt-live-transmit sends bytes as they are handed out, each at its time.
    ///
    /// `next` gives the bytes that follow and when they are due, counted from the start; `nil` ends
    /// the contribution.
    package static func bytes(
        to url: String,
        next: @escaping @Sendable () -> (due: Duration, bytes: [UInt8])?
    ) throws -> Publisher {
        let pipe = Pipe()
        let process = try ExternalProcess(
            "srt-live-transmit",
            [
                "-q", "-loglevel", "fatal", "-chunk", "1316", "file://con",
                "\(url)&conntimeo=\(patience)",
            ],
            input: pipe.fileHandleForReading
        )
        let file = Mutex<FileHandle?>(pipe.fileHandleForWriting)
        let feed = PacedFeed(next: next) { bytes in
            file.withLock { (try? $0?.write(contentsOf: Data(bytes))) != nil }
        } end: {
            file.withLock { file in
                try? file?.close()
                file = nil
            }
        }
        return Publisher(process: process, feed: feed)
    }

    /// AV1 and AAC in a transport stream, looped: ffmpeg 5.1 cannot write AV1 into one.
    package static func av1(to url: String) throws -> Publisher {
        let source = Mutex(try AV1TransportStream())
        return try bytes(to: url) { source.withLock { $0.next() } }
    }
}

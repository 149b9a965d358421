import Foundation

/// Encodes `ClockPicture` in real time with a tone beside it and publishes it: x264 zerolatency,
/// 720p30, a keyframe a second.
package final class ClockEncoder: Sendable {
    private let process: ExternalProcess
    private let feed: Task<Void, Never>

    package init(publishingTo url: String) throws {
        let pipe = Pipe()
        process = try ExternalProcess(
            "ffmpeg",
            [
                "-hide_banner", "-loglevel", "error", "-fflags", "nobuffer",
                "-probesize", "32", "-thread_queue_size", "8", "-use_wallclock_as_timestamps", "1",
                "-f", "rawvideo", "-pix_fmt", "yuv420p",
                "-video_size", "\(ClockPicture.width)x\(ClockPicture.height)", "-framerate", "30",
                "-i", "pipe:0",
                "-re", "-f", "lavfi", "-i",
                "sine=frequency=440:sample_rate=48000",
                "-map", "0:v", "-map", "1:a",
                "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30",
                "-b:v", "2M", "-c:a", "aac", "-b:a", "96k",
                "-f", "mpegts", "-pes_payload_size", "0", "-flush_packets", "1", url,
            ],
            input: pipe.fileHandleForReading
        )
        let output = pipe.fileHandleForWriting
        feed = Task {
            let clock = ContinuousClock()
            var next = clock.now
            var number = 0
            while !Task.isCancelled {
                let frame = ClockPicture().frame(at: .now, number: number)
                do { try output.write(contentsOf: frame) } catch { return }
                number += 1
                next = next.advanced(by: .nanoseconds(33_333_333))
                try? await clock.sleep(until: next)
            }
        }
    }

    package func stop() {
        feed.cancel()
        process.signal(SIGKILL)
    }
}

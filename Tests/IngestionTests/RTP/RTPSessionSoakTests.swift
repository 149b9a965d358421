import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// Days of packets, in simulated time.
@Suite struct RTPSessionSoakTests {
    /// Two days: 2^32 wraps after 13.3 hours at 90 kHz and 24.9 hours at 48 kHz, and the sender's clocks
    /// run apart by 100 ppm, which is 17 s in the end.
    @Test(arguments: [false, true])
    func twoDaysKeepSoundAndPictureTogether(hasReports: Bool) {
        var recorder = RTPRecorder()
        var random = SeededRandom(seed: 8)
        var video = RTPTestSource(ssrc: 1, payloadType: 96, timestamp: 4_000_000_000)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97, timestamp: 2_000_000_000)
        let start = (video: video.timestamp, audio: audio.timestamp)
        let keyframe = SampleStreams.h264Keyframe(byteCount: 60)
        var worst: Int64 = 0
        for second in stride(from: 0, to: 48 * 3_600, by: 2) {
            // A picture and a sound stand for all of two seconds.
            let elapsed = Double(second)
            video.timestamp = start.video &+ Self.ticks(elapsed * 90_000 * (1 - 40e-6))
            audio.timestamp = start.audio &+ Self.ticks(elapsed * 48_000 * (1 + 60e-6))
            let milliseconds = second * 1_000
            if hasReports, second % 6 == 0 {
                recorder.feed(video.report(seconds: elapsed), at: milliseconds)
                recorder.feed(audio.report(seconds: elapsed), at: milliseconds)
            }
            recorder.forget()
            let late = Int.random(in: 0...3, using: &random)
            recorder.feed(audio.sound(), at: milliseconds + late)
            recorder.feed(video.picture(keyframe), at: milliseconds + late)
            _ = recorder.session.takeFeedback(now: RTPRecorder.wall(milliseconds + late))
            guard second > 60, let picture = recorder.pictures.first,
                let sound = recorder.sounds.first
            else { continue }
            worst = max(worst, abs(picture.pts.ticks - sound.pts.ticks))
            guard recorder.discontinuities.isEmpty else {
                Issue.record("\(recorder.discontinuities) after \(second) s")
                return
            }
        }
        // A frame at 25 a second is 3,600 ticks.
        #expect(worst > 0 && worst < 1_800, "\(worst)")
        let statistics = recorder.statistics(at: 48 * 3_600_000)
        #expect(statistics.streams.count == 2)
        #expect(statistics.accessUnits == 48 * 3_600)
        #expect(statistics.streams.allSatisfy { $0.reordering.heldBytes == 0 })
        for (ssrc, ppm) in [(1, -40.0), (2, 60.0)] as [(UInt32, Double)] {
            let stream = statistics.streams.first { $0.ssrc == ssrc }
            // One packet in two seconds tells of drift only roughly.
            #expect(abs((stream?.clock.driftPPM ?? .infinity) - ppm) < 40)
        }
    }

    private static func ticks(_ value: Double) -> UInt32 {
        UInt32(truncatingIfNeeded: Int64(value.rounded()))
    }
}

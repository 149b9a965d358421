import Foundation
import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// Senders that come, go, change and lie.
@Suite struct RTPSessionSourceTests {
    @Test func aNewSSRCTakesThePictureOverWhenTheOldOneIsSilent() {
        var recorder = RTPRecorder()
        var old = RTPTestSource(ssrc: 1, payloadType: 96, timestamp: 1_000)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97)
        for step in 0..<30 {
            recorder.feed(step == 0 ? old.keyframe() : old.frame(), at: step * 33)
            recorder.feed(audio.sound(ticks: 1_584), at: step * 33)
        }
        var new = RTPTestSource(ssrc: 3, payloadType: 96, sequence: 9, timestamp: 3_000_000_000)
        for step in 30..<60 {
            recorder.feed(step == 30 ? new.keyframe() : new.frame(), at: step * 33)
            recorder.feed(audio.sound(ticks: 1_584), at: step * 33)
        }
        // None of the new sender's pictures is lost, its keyframe least of all.
        #expect(recorder.pictures.count == 60)
        #expect(recorder.trackLists.map { $0.tracks.map(\.id.rawValue) } == [[256, 257]])
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.events.brokenPromise == nil)
        let times = recorder.pictures.map(\.pts.ticks)
        #expect(zip(times, times.dropFirst()).allSatisfy { (2_000...4_500).contains($1 - $0) })
        #expect(recorder.statistics(at: 2_000).streams.map(\.state) == [.left, .carried, .carried])
    }

    @Test func afterAByeTheNextSSRCIsCarriedAtOnce() {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var old = RTPTestSource(ssrc: 1, payloadType: 96)
        for step in 0..<10 {
            recorder.feed(step == 0 ? old.keyframe() : old.frame(), at: step * 33)
        }
        recorder.feed(.bye([1]), at: 320)
        #expect(recorder.session.hasLeft)
        var new = RTPTestSource(ssrc: 3, payloadType: 96, timestamp: 500)
        recorder.feed(new.keyframe(), at: 330)
        #expect(recorder.pictures.count == 11)
        #expect(!recorder.session.hasLeft)
        // It is alone, so its clock begins a timeline.
        #expect(recorder.discontinuities == [.timestampJump])
        #expect(recorder.events.brokenPromise == nil)
    }

    @Test func aSecondSenderDoesNotDisturbOneThatGoesOn() {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var first = RTPTestSource(ssrc: 1, payloadType: 96)
        var second = RTPTestSource(ssrc: 2, payloadType: 96, timestamp: 9)
        for step in 0..<100 {
            recorder.feed(step == 0 ? first.keyframe() : first.frame(), at: step * 33)
            recorder.feed(second.keyframe(), at: step * 33 + 10)
        }
        #expect(recorder.pictures.count == 100)
        #expect(recorder.pictures.filter(\.isKeyframe).count == 1)
        #expect(recorder.statistics(at: 3_300).streams.map(\.state) == [.carried, .waiting])
    }

    @Test func aSourceIsNotBelievedBeforeItsSecondPacket() {
        var recorder = RTPRecorder(media: [RTPRecorder.audio])
        for ssrc in 0..<40 {
            var source = RTPTestSource(ssrc: UInt32(ssrc), payloadType: 97)
            recorder.feed(source.sound(), at: ssrc)
        }
        #expect(recorder.events.isEmpty && !recorder.session.hasBegun)
        #expect(recorder.statistics(at: 40).streams.allSatisfy { $0.state == .probation })
    }

    @Test func spoofedSSRCsAreBoundedAndDoNotDisturb() {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var random = SeededRandom(seed: 6)
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        for step in 0..<200 {
            recorder.feed(step == 0 ? video.keyframe() : video.frame(), at: step * 33)
            for _ in 0..<20 {
                var spoofed = RTPTestSource(
                    ssrc: .random(in: 2...UInt32.max, using: &random),
                    payloadType: 96
                )
                recorder.feed(spoofed.keyframe(), at: step * 33)
            }
        }
        #expect(recorder.pictures.count == 200)
        let statistics = recorder.statistics(at: 6_600)
        #expect(statistics.streams.count <= RTPSession.streamLimit)
        #expect(statistics.refusedPackets > 1_000)
    }

    @Test func aReportAndANameThatComeBeforeTheFirstPacketCount() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97)
        for source in [video, audio] {
            recorder.feed(source.report(seconds: 10), at: 0)
            recorder.feed(.sourceDescription([.init(ssrc: source.ssrc, name: "studio")]), at: 0)
        }
        // The camera's encoder takes 200 ms longer.
        recorder.feed([audio.sound(ticks: 9_600), audio.sound(ticks: 9_600)], at: 0)
        recorder.feed(audio.sound(), at: 200)
        recorder.feed(video.keyframe(), at: 200)
        recorder.feed(video.frame(), at: 233)
        recorder.finish(at: 300)
        let picture = recorder.pictures.first?.pts.ticks ?? 0
        let sound = recorder.sounds.first?.pts.ticks ?? 0
        #expect(abs(picture - sound) < 20)
        let streams = recorder.statistics(at: 300).streams
        #expect(streams.map(\.cname) == ["studio", "studio"])
        #expect(streams.last?.clock.source == .senderReport)
        #expect(recorder.pictures.first?.sourceTime != nil)
    }

    @Test func whatWasSentAgainFillsTheGap() {
        var medium = RTPRecorder.video
        medium.hasNACK = true
        medium.retransmissions[99] = MediaDescription.Retransmission(payloadType: 96)
        medium.retransmissionSSRCs[7] = 1
        var recorder = RTPRecorder(media: [medium])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        recorder.feed(video.keyframe(), at: 0)
        let lost = video.frame()
        recorder.feed(video.frame(), at: 66)
        #expect(recorder.pictures.count == 1)
        var again = RTPTestSource(ssrc: 7, payloadType: 99, timestamp: 3_000)
        for (index, datagram) in lost.enumerated() {
            let bytes = Array(datagram.readableBytesView)
            let number = Array(bytes[2..<4])
            let isLast = index == lost.count - 1
            recorder.feed(again.packet(number + bytes[12...], marker: isLast), at: 90)
        }
        #expect(recorder.pictures.count == 3)
        let statistics = recorder.statistics(at: 90)
        #expect(statistics.recoveredPackets == UInt64(lost.count))
        #expect(statistics.streams.map(\.state) == [.carried, .retransmission])
    }

    @Test(arguments: ["st2022-1-gstreamer.bin", "st2022-1-ffmpeg.bin"])
    func whatFECGivesBackIsNotMissed(capture: String) throws {
        let whole = try Self.replay(capture, losing: [])
        let mended = try Self.replay(capture, losing: [12, 23])
        let broken = try Self.replay(capture, losing: [12, 23], hasFEC: false)
        #expect(mended.events.map(\.line) == whole.events.map(\.line))
        #expect(!whole.units.isEmpty)
        #expect(mended.statistics(at: 1_000).recoveredPackets >= 2)
        #expect(broken.statistics(at: 1_000).streams.first?.reordering.lost == 2)
        #expect(broken.statistics(at: 1_000).transportStream?.continuityErrors ?? 0 > 0)
    }

    @Test(arguments: ["st2022-1-gstreamer.bin", "st2022-1-ffmpeg.bin"])
    func theFirstColumnTellsHowLongFECIsWaitedFor(capture: String) throws {
        let whole = try Self.replay(capture, losing: [])
        // Two of a row, so that only their columns give them back, 10 ms later.
        let mended = try Self.replay(capture, losing: [40, 41], latency: .milliseconds(5))
        #expect(mended.events.map(\.line) == whole.events.map(\.line))
        #expect(mended.statistics(at: 1_000).streams.first?.reordering.lost == 0)
    }

    /// A captured transport stream with its FEC; what `losing` names are places among its packets.
    private static func replay(
        _ capture: String,
        losing lost: Set<Int>,
        latency: Duration = .milliseconds(200),
        hasFEC: Bool = true
    ) throws -> RTPRecorder {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Fixtures/RTP").appending(path: capture)
        var bytes = ByteBuffer(bytes: try Data(contentsOf: file))
        var medium = MediaDescription(kind: .video, port: 5_004)
        medium.payloads[33] = RTPPayloadFormat(encoding: .mpegTS, clockRate: 90_000)
        var recorder = RTPRecorder(media: [medium]) {
            $0.reordering.minimumLatency = latency
        }
        var place = 0
        while let head = bytes.readMultipleIntegers(as: (UInt8, UInt16).self),
            let datagram = bytes.readSlice(length: Int(head.1))
        {
            if head.0 == 0 {
                if !lost.contains(place) { recorder.feed(datagram, at: place) }
                place += 1
            } else if hasFEC {
                recorder.correct(datagram, at: place)
            }
        }
        recorder.finish(at: 1_000)
        return recorder
    }

    @Test func anMPEGTransportStreamIsTakenApart() {
        var medium = MediaDescription(kind: .video, port: 5_004)
        medium.payloads[33] = RTPPayloadFormat(encoding: .mpegTS, clockRate: 90_000)
        var recorder = RTPRecorder(media: [medium])
        var contribution = Contribution()
        var source = RTPTestSource(ssrc: 1, payloadType: 33)
        let bytes = contribution.frames(0..<90)
        for start in stride(from: 0, to: bytes.count, by: 7 * 188) {
            let end = min(start + 7 * 188, bytes.count)
            recorder.feed(
                source.packet(Array(bytes[start..<end]), marker: false),
                at: start / 1_000
            )
        }
        recorder.finish(at: 3_000)
        var whole = EventRecorder()
        whole.feed(bytes)
        whole.finish()
        #expect(recorder.events.map(\.line) == whole.log)
        #expect(recorder.units.count > 200)
        #expect(
            recorder.statistics(at: 3_000).transportStream?.packets == UInt64(bytes.count / 188)
        )
    }

    @Test func anyPacketsKeepThePromiseAndTheBounds() throws {
        var random = SeededRandom(seed: 12)
        var audio = RTPRecorder.audio
        audio.hasNACK = true
        var recorder = RTPRecorder(media: [RTPRecorder.video, audio])
        var milliseconds = 0
        for _ in 0..<20_000 {
            milliseconds += Int.random(in: 0...30, using: &random)
            var source = RTPTestSource(
                ssrc: .random(in: 0...5, using: &random),
                payloadType: .random(in: 95...98, using: &random),
                sequence: .random(in: 0...300, using: &random),
                timestamp: .random(in: 0...UInt32.max, using: &random)
            )
            switch Int.random(in: 0..<8, using: &random) {
            case 0: recorder.feed(source.keyframe(), at: milliseconds)
            case 1: recorder.feed(source.frame(), at: milliseconds)
            case 2: recorder.feed(source.sound(), at: milliseconds)
            case 3: recorder.advance(to: milliseconds)
            case 4: recorder.feed(.bye([source.ssrc]), at: milliseconds)
            case 5: recorder.feed(source.report(seconds: Double(milliseconds)), at: milliseconds)
            case 6: _ = recorder.session.takeFeedback(now: RTPRecorder.wall(milliseconds))
            default:
                let count = Int.random(in: 0...40, using: &random)
                recorder.feed(source.packet(random.bytes(count), marker: false), at: milliseconds)
            }
        }
        recorder.finish(at: milliseconds)
        #expect(recorder.events.brokenPromise == nil)
        let statistics = recorder.statistics(at: milliseconds)
        #expect(statistics.streams.count <= RTPSession.streamLimit)
        #expect(statistics.streams.allSatisfy { $0.reordering.heldPackets == 0 })
    }
}

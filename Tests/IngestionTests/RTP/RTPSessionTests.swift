import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct RTPSessionTests {
    @Test func pictureAndSoundBecomeTracksAndUnits() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96, timestamp: 4_294_960_000)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97, timestamp: 77)
        for step in 0..<300 {
            if step % 3 == 0 {
                let packets =
                    step % 30 == 0 ? video.keyframe(ticks: 5_400) : video.frame(ticks: 5_400)
                recorder.feed(packets, at: step * 20)
            }
            recorder.feed(audio.sound(ticks: 960), at: step * 20)
        }
        #expect(recorder.trackLists.map { $0.tracks.map(\.id.rawValue) } == [[256, 257]])
        #expect(recorder.trackLists[0].video?.video?.codec == .h264)
        #expect(recorder.trackLists[0].audio.first?.audio?.codec == .aac)
        #expect(recorder.pictures.count == 100 && recorder.sounds.count == 300)
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.events.brokenPromise == nil)
        for (before, after) in zip(recorder.pictures, recorder.pictures.dropFirst()) {
            #expect(after.dts.ticks - before.dts.ticks == 5_400)
            #expect(after.dts == after.pts)
        }
        for (before, after) in zip(recorder.sounds, recorder.sounds.dropFirst()) {
            #expect(after.pts.ticks - before.pts.ticks == 1_800)
        }
        let statistics = recorder.statistics(at: 6_000)
        #expect(statistics.accessUnits == 400 && statistics.misplacedUnits == 0)
        #expect(statistics.streams.map(\.state) == [.carried, .carried])
        #expect(statistics.streams.map(\.track?.rawValue) == [256, 257])
        #expect(statistics.streams.map(\.clock.leads) == [false, true])
    }

    @Test func aPictureIsOutWithItsLastPacket() {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        for frame in 0..<50 {
            let packets = frame == 0 ? video.keyframe() : video.frame()
            recorder.feed(packets.dropLast().map { $0 }, at: frame * 33)
            #expect(recorder.pictures.count == frame)
            recorder.feed(packets.suffix(1).map { $0 }, at: frame * 33)
            #expect(recorder.pictures.count == frame + 1)
        }
    }

    @Test func soundAloneDoesNotStartBeforeThePictureThatWasAnnounced() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97)
        // The picture is joined in the middle of a long group.
        for step in 0..<200 {
            recorder.feed(audio.sound(ticks: 960), at: step * 20)
            if step % 2 == 0 { recorder.feed(video.frame(ticks: 3_600), at: step * 20) }
        }
        #expect(recorder.events.isEmpty)
        recorder.feed(video.keyframe(), at: 4_000)
        #expect(recorder.trackLists.map { $0.tracks.map(\.id.rawValue) } == [[256, 257]])
        let stream = recorder.statistics(at: 4_000).streams.first { $0.ssrc == 1 }
        #expect(stream?.units.undecodableUnits == 100)
    }

    @Test func missingParameterSetsAreSaidWithTheirCure() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        for frame in 0..<10 { recorder.feed(video.frame(), at: frame * 33) }
        let stream = recorder.statistics(at: 330).streams.first
        #expect(stream?.hint?.contains("config-interval=-1") == true)
        recorder.feed(video.keyframe(), at: 330)
        #expect(recorder.statistics(at: 330).streams.first?.hint == nil)
    }

    @Test func sequenceAndTimestampsWrap() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96, sequence: 65_000, timestamp: .max - 5)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97, sequence: 1, timestamp: .max - 70_000)
        for step in 0..<70_000 {
            if step % 2 == 0 {
                recorder.feed(
                    step % 200 == 0 ? video.keyframe(ticks: 3_600) : video.frame(ticks: 3_600),
                    at: step * 20
                )
            }
            recorder.feed(audio.sound(ticks: 960), at: step * 20)
        }
        #expect(recorder.pictures.count == 35_000 && recorder.sounds.count == 70_000)
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.events.brokenPromise == nil)
        let statistics = recorder.statistics(at: 1_400_000)
        #expect(statistics.streams.allSatisfy { $0.reception.lost == 0 })
    }

    @Test func packetsOutOfOrderArePutInOrder() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        var random = SeededRandom(seed: 4)
        recorder.feed(video.keyframe(), at: 0)
        var sent = 1
        for round in 1..<100 {
            var packets = video.picture(SampleStreams.h264Picture(byteCount: 3_000))
            sent += 1
            packets.shuffle(using: &random)
            recorder.feed(packets, at: round * 33)
        }
        recorder.finish(at: 3_400)
        #expect(recorder.pictures.count == sent)
        #expect(recorder.events.brokenPromise == nil)
        let statistics = recorder.statistics(at: 3_400)
        #expect(statistics.streams[0].units.damagedUnits == 0)
        #expect(statistics.streams[0].reception.reordered > 0)
    }

    @Test func hundredsOfLostPacketsCostThosePackets() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97)
        for step in 0..<600 {
            let isLost = (200..<350).contains(step)
            let packets = step % 10 == 0 ? video.keyframe() : video.frame()
            if !isLost { recorder.feed(packets, at: step * 33) }
            let sound = audio.sound(ticks: 1_584)
            if !isLost { recorder.feed(sound, at: step * 33) }
            recorder.advance(to: step * 33 + 20)
        }
        #expect(recorder.pictures.count >= 448 && recorder.sounds.count == 450)
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.events.brokenPromise == nil)
        #expect(recorder.statistics(at: 20_000).streams[1].reception.lost == 150)
    }

    @Test func anOverduePacketIsGivenUpAtItsDeadline() throws {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        recorder.feed(video.keyframe(), at: 0)
        _ = video.frame()
        recorder.feed(video.frame(), at: 66)
        #expect(recorder.pictures.count == 1)
        let deadline = try #require(recorder.session.deadline)
        #expect(deadline <= RTPRecorder.wall(266))
        recorder.advance(to: 266)
        #expect(recorder.pictures.count == 2)
    }

    @Test func aClockThatJumpsIsOneDiscontinuity() {
        var recorder = RTPRecorder()
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        var audio = RTPTestSource(ssrc: 2, payloadType: 97)
        for step in 0..<400 {
            if step == 200 {
                video.timestamp &+= 90_000 * 5_000
                audio.timestamp &+= 48_000 * 5_000
            }
            recorder.feed(step % 20 == 0 ? video.keyframe() : video.frame(), at: step * 33)
            recorder.feed(audio.sound(ticks: 1_600), at: step * 33)
        }
        #expect(recorder.discontinuities == [.timestampJump])
        #expect(recorder.events.brokenPromise == nil)
        #expect(recorder.pictures.count == 400 && recorder.sounds.count == 400)
    }

    @Test func anotherPayloadTypeOfTheMediumIsFollowed() {
        var medium = RTPRecorder.video
        medium.payloads[98] = RTPTestSource.h264
        var recorder = RTPRecorder(media: [medium])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        for step in 0..<10 {
            recorder.feed(step == 0 ? video.keyframe() : video.frame(), at: step * 33)
        }
        var other = RTPTestSource(
            ssrc: 1,
            payloadType: 98,
            sequence: video.sequence,
            timestamp: video.timestamp
        )
        for step in 10..<20 {
            recorder.feed(step == 10 ? other.keyframe() : other.frame(), at: step * 33)
        }
        #expect(recorder.pictures.count == 20)
        #expect(recorder.events.brokenPromise == nil)
        #expect(recorder.statistics(at: 660).streams.map(\.payloadType) == [98])
    }

    @Test func payloadsThatNobodyAnnouncedAreCountedAndSaid() {
        var recorder = RTPRecorder()
        var tones = RTPTestSource(ssrc: 5, payloadType: 101)
        for step in 0..<20 { recorder.feed(tones.packet([1, 2, 3, 4], marker: false), at: step) }
        let statistics = recorder.statistics(at: 20)
        #expect(
            statistics.streams.map(\.state) == [.notCarried("payload type 101 is not announced")]
        )
        #expect(statistics.streams[0].reception.received == 19)
        #expect(recorder.events.isEmpty && !recorder.session.hasBegun)
    }

    @Test func oneStreamMayCarryTheSamePayloadTypeOnEachPort() {
        var sound = MediaDescription(kind: .audio, port: 5_006)
        sound.payloads[96] = RTPTestSource.aac
        var recorder = RTPRecorder(media: [RTPRecorder.video, sound])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        var audio = RTPTestSource(ssrc: 1, payloadType: 96)
        for step in 0..<50 {
            recorder.feed(step == 0 ? video.keyframe() : video.frame(), of: 0, at: step * 33)
            recorder.feed(audio.sound(ticks: 1_600), of: 1, at: step * 33)
        }
        #expect(recorder.pictures.count == 50 && recorder.sounds.count == 50)
    }
}

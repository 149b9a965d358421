import Ingestion
import Media
import NIOCore
import Testing

@Suite struct RTPFeedbackScheduleTests {
    /// What is sent while frames come, by when.
    private static func feedback(
        _ recorder: inout RTPRecorder,
        _ video: inout RTPTestSource,
        frames: Range<Int>,
        isLost: (Int) -> Bool = { _ in false }
    ) -> [(milliseconds: Int, packets: [RTCPPacket])] {
        var sent: [(Int, [RTCPPacket])] = []
        for frame in frames {
            let packets = frame == 0 ? video.keyframe() : video.frame()
            if !isLost(frame) { recorder.feed(packets, at: frame * 33) }
            recorder.advance(to: frame * 33 + 1)
            let now = RTPRecorder.wall(frame * 33 + 1)
            guard let buffer = recorder.session.takeFeedback(now: now) else { continue }
            sent.append((frame * 33, RTCPPacket.parse(buffer.readableBytesUInt8Span)))
        }
        return sent
    }

    private static func requests(
        _ sent: [(milliseconds: Int, packets: [RTCPPacket])]
    ) -> [RTCPFeedback] {
        sent.flatMap(\.packets).compactMap { packet in
            if case .feedback(_, let feedback) = packet { feedback } else { nil }
        }
    }

    @Test func reportsGoOutEveryFewSecondsAndTellOfLoss() throws {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        let sent = Self.feedback(&recorder, &video, frames: 0..<3_000) { $0 % 10 == 5 }
        // 99 s, an interval of 2 to 6.2 s.
        #expect((16...49).contains(sent.count))
        for (before, after) in zip(sent, sent.dropFirst()) {
            #expect((2_000...6_300).contains(after.milliseconds - before.milliseconds))
        }
        let last = try #require(sent.last?.packets)
        guard case .receiverReport(let ssrc, let blocks) = last[0],
            case .sourceDescription(let names) = last[1]
        else {
            Issue.record("\(last)")
            return
        }
        #expect(ssrc == 0xFEED && names.map(\.name) == ["mirror"])
        #expect(blocks.map(\.ssrc) == [1])
        #expect((15...40).contains(blocks[0].fractionLost))
        #expect(Self.requests(sent).isEmpty)
    }

    @Test func nothingIsSentToASourceThatIsNotCarried() {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var other = RTPTestSource(ssrc: 1, payloadType: 50)
        let sent = Self.feedback(&recorder, &other, frames: 0..<400)
        #expect(sent.isEmpty)
        let farewell = recorder.session.goodbye()
        #expect(farewell == nil)
    }

    @Test func missingPacketsAreAskedForAtOnceWhereTheSenderTakesIt() {
        var medium = RTPRecorder.video
        medium.hasNACK = true
        var recorder = RTPRecorder(media: [medium])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        let sent = Self.feedback(&recorder, &video, frames: 0..<20) { $0 == 10 }
        // The keyframe's packets were numbered from 1,000; frame 10 is a packet of its own.
        let lost: RTCPFeedback? = Self.requests(sent).first
        guard case .negativeAcknowledgement(let media, let numbers) = lost else {
            Issue.record("\(sent)")
            return
        }
        #expect(media == 1 && !numbers.isEmpty)
        #expect(sent.first?.milliseconds == 11 * 33)
        #expect(recorder.statistics(at: 660).packetsRequested >= UInt64(numbers.count))
    }

    @Test(arguments: [false, true])
    func aKeyframeIsAskedForWhenPicturesAreLost(hasFIR: Bool) {
        var medium = RTPRecorder.video
        medium.hasPLI = !hasFIR
        medium.hasFIR = hasFIR
        var recorder = RTPRecorder(media: [medium])
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        let sent = Self.feedback(&recorder, &video, frames: 0..<100) { $0 == 50 }
        let requests = Self.requests(sent)
        // At most every half second, until a keyframe comes; none comes here.
        #expect((2...5).contains(requests.count))
        for (index, request) in requests.enumerated() {
            let expected: RTCPFeedback =
                hasFIR
                ? .fullIntraRequest(media: 1, commandSequence: UInt8(index))
                : .pictureLoss(media: 1)
            #expect(request == expected)
        }
        recorder.feed(video.keyframe(), at: 3_301)
        let later = Self.feedback(&recorder, &video, frames: 101..<130)
        #expect(Self.requests(later).isEmpty)
    }

    @Test func theDeadlineIsThatOfTheNextReport() throws {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        #expect(recorder.session.deadline == nil)
        var video = RTPTestSource(ssrc: 1, payloadType: 96)
        _ = Self.feedback(&recorder, &video, frames: 0..<3)
        let deadline = try #require(recorder.session.deadline)
        #expect(deadline > RTPRecorder.wall(1_000) && deadline < RTPRecorder.wall(3_300))
        let report = recorder.session.takeFeedback(now: deadline)
        #expect(report != nil)
    }

    @Test func aSenderThatHasTheReceiversSSRCMakesItTakeAnother() throws {
        var recorder = RTPRecorder(media: [RTPRecorder.video])
        var video = RTPTestSource(ssrc: 0xFEED, payloadType: 96)
        let sent = Self.feedback(&recorder, &video, frames: 0..<400)
        let first: RTCPPacket = try #require(sent.first?.packets.first)
        guard case .receiverReport(let ssrc, let blocks) = first else {
            Issue.record("\(first)")
            return
        }
        #expect(ssrc != 0xFEED && blocks.map(\.ssrc) == [0xFEED])
        let farewell = recorder.session.goodbye()
        let goodbye = try #require(farewell)
        let last = RTCPPacket.parse(goodbye.readableBytesUInt8Span).last
        #expect(last == .bye([ssrc]))
    }
}

import Media
import Packaging

/// Holds where each segment begins against the contribution, and forgets it.
struct LongAudit {
    static let segmentSeconds = 4
    private static let segmentPictures =
        segmentSeconds * 90_000 / Int(LongContribution.pictureTicks)

    private struct Begin {
        let start: SegmentStart
        let decode: MediaTime
        /// From decoding to presentation.
        let wait: MediaTime
        let number: Int
        /// Of the first frame, on the source's clock.
        let ticks: Int64
        var isPicture: Bool { decode.timescale == MediaTime.mpegTimescale }

        /// How much later it is shown than the source says, and what is the same for all frames.
        var delay: Double {
            (decode + wait - MediaTime(mpegTicks: ticks)).seconds
        }
    }

    private var renditions: [Rendition.ID: Rendition] = [:]
    private var opened: [Rendition.ID: SegmentStart] = [:]
    private var last: [Rendition.ID: Begin] = [:]
    private var pictures: [UInt64: Begin] = [:]

    /// How often the 33 bits of the source's clock have wrapped before the latest picture.
    private(set) var wraps: Int64 = 0
    /// Segments of sound that were compared with the picture's.
    private(set) var segments = 0
    /// The longest that sound came to be shown before or after the picture it belongs to, in seconds.
    private(set) var lipSync = 0.0
    /// The most that decode times of a segment's renditions were apart, in seconds.
    private(set) var alignment = 0.0
    /// The most that a date was off from when the frame was sent, in seconds.
    private(set) var dates = 0.0
    /// What is not by degrees, in words.
    private(set) var faults: [String] = []

    mutating func read(_ outputs: [PackagerOutput]) {
        for output in outputs {
            switch output {
            case .renditions(let list):
                for rendition in list { renditions[rendition.id] = rendition }
            case .openSegment(let id, let start): opened[id] = start
            case .part(let id, let part):
                guard let start = opened.removeValue(forKey: id) else { continue }
                begin(start, with: part, in: id)
            case .expect, .closeSegment: continue
            }
        }
    }

    private mutating func begin(_ start: SegmentStart, with part: Part, in id: Rendition.ID) {
        guard let rendition = renditions[id],
            let sample = ReadChunk(part, header: rendition.initialization)?.samples.first
        else {
            faults.append("\(id)/\(start.mediaSequence): cannot be read")
            return
        }
        let number = LongContribution.number(of: sample.payload)
        let isPicture = rendition.track.video != nil
        let timescale = part.duration.timescale
        let begin = Begin(
            start: start,
            decode: MediaTime(ticks: Int64(sample.decodeTime), timescale: timescale),
            wait: MediaTime(ticks: sample.compositionOffset, timescale: timescale),
            number: number,
            ticks: isPicture
                ? LongContribution.ticks(picture: number) : LongContribution.ticks(sound: number)
        )
        // The first begins with silence: sound comes with the picture, shown after it is decoded.
        guard start.mediaSequence > 1 else { return }
        if let before = last.updateValue(begin, forKey: id) {
            compare(begin, with: before, in: id)
        } else if start.isDiscontinuity || start.mediaSequence != 2 {
            faults.append("\(id): goes on with \(start)")
        }
        date(begin)
        if isPicture {
            wraps = begin.decode.ticks >> 33
            pictures[start.mediaSequence] = begin
        } else if let picture = pictures.removeValue(forKey: start.mediaSequence) {
            segments += 1
            lipSync = max(lipSync, abs(begin.delay - picture.delay))
            alignment = max(alignment, abs((begin.decode - picture.decode).seconds))
        } else {
            faults.append("\(id)/\(start.mediaSequence): no picture")
        }
    }

    /// Frames lie end to end: as many as between the numbers, and none that was not sent.
    private mutating func compare(_ begin: Begin, with before: Begin, in id: Rendition.ID) {
        let count = begin.number - before.number
        let passed = begin.decode - before.decode
        let isWhole =
            begin.isPicture
            ? count == Self.segmentPictures
                && abs(passed.seconds - Double(Self.segmentSeconds)) < 0.001
            : passed.ticks == Int64(count) * 1_024
        if begin.start.isDiscontinuity || !isWhole
            || begin.start.mediaSequence != before.start.mediaSequence + 1
        {
            faults.append("\(id): \(before) is followed by \(begin)")
        }
    }

    private mutating func date(_ begin: Begin) {
        let sent = LongContribution.wallStart.advanced(
            by: .microseconds(LongContribution.microseconds(begin.ticks))
        )
        let error = begin.start.programDateTime.advanced(by: begin.wait).duration(since: sent)
        dates = max(dates, abs(error / .seconds(1)))
    }
}

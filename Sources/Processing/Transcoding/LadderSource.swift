import CFFmpeg
import Media

/// Decodes a stream's picture once and brings it to the size of every rung.
///
/// A picture that cannot be decoded is left out, and so are those up to the next keyframe, where the
/// decoder begins anew. Thread: that of the ladder.
final class LadderSource {
    enum Output {
        /// For every rung.
        case all(RungWork)
        /// For one rung.
        case rung(Int, RungWork)
    }

    /// Slices of one picture that are decoded at a time, where the encoder made several.
    private static let threads = 4
    /// Source keyframes that are closer together than this are not keyframes of every rung: a source
    /// of keyframes alone would cost as much again.
    private static let keyframeDistance = Int64(MediaTime.mpegTimescale)
    /// What was sent and has not come out of the decoder.
    private static let pendingLimit = 256

    private let rungs: [LadderRung]
    private let emit: (Output) -> Void
    private var format: VideoFormat?
    private var decoder: PictureDecoder?
    private let deinterlacer = Deinterlacer()
    private var places = PicturePlaces()
    private var since: [Int64: ContinuousClock.Instant] = [:]
    private var isWaitingForKeyframe = false
    private var latestKeyframe: Int64?
    private var cascade: PictureCascade?
    /// Of so many pictures each rung takes one, and has left out so many since.
    private var divisors: [Int]
    private var skipped: [Int]
    private(set) var statistics = LadderStatistics.Decoding()

    /// `emit` is called with what is ready for the rungs, in order.
    init(rungs: [LadderRung], emit: @escaping (Output) -> Void) {
        self.rungs = rungs
        self.emit = emit
        divisors = Array(repeating: 1, count: rungs.count)
        skipped = Array(repeating: 0, count: rungs.count)
    }

    func consume(_ work: LadderWork) {
        defer { statistics.cpuSeconds = ThreadClock.now / .seconds(1) }
        switch work.event {
        case .begin(let format):
            begin(format)
            emit(.all(.begin(format)))
        case .picture(let picture):
            decode(picture, since: work.since)
        case .end:
            feed(nil, at: 0)
            decoder?.restart()
            emit(.all(.end))
        }
    }

    private func begin(_ format: VideoFormat) {
        if format != self.format {
            self.format = format
            cascade = nil
            decoder = nil
        }
        places = PicturePlaces()
        since = [:]
        deinterlacer.restart()
        latestKeyframe = nil
        isWaitingForKeyframe = false
        divisors = rungs.map { $0.divisor(for: format.frameRate) }
        skipped = rungs.map { _ in 0 }
    }

    private func decode(_ picture: Picture, since entered: ContinuousClock.Instant) {
        places.note(picture)
        if isWaitingForKeyframe || decoder == nil {
            guard picture.isKeyframe, makeDecoder() else { return }
            isWaitingForKeyframe = false
        }
        if since.count >= Self.pendingLimit { since.removeAll() }
        since[picture.presentationTime] = entered
        feed(picture, at: picture.presentationTime)
    }

    private func makeDecoder() -> Bool {
        if let decoder {
            decoder.restart()
            return true
        }
        guard let format else { return false }
        decoder = try? PictureDecoder(
            .video(format.codec),
            configuration: format.decoderConfiguration,
            threads: Self.threads
        )
        return decoder != nil
    }

    private func feed(_ picture: Picture?, at time: Int64) {
        do throws(FFmpegError) {
            try decoder?.decode(picture?.payload, at: time) { frame, time throws(FFmpegError) in
                try scale(frame, shownAt: time)
            }
        } catch {
            isWaitingForKeyframe = true
        }
    }

    /// One decoded picture, for each rung that takes it.
    private func scale(_ decoded: PictureFrame, shownAt time: Int64) throws(FFmpegError) {
        statistics.pictures &+= 1
        let lost = places.lost
        let next = places.place(shownAt: time)
        statistics.undecodablePictures &+= places.lost - lost
        guard let place = next else { return }
        let entered = since.removeValue(forKey: time) ?? .now
        let isDue = latestKeyframe.map { place.decodeTime - $0 >= Self.keyframeDistance } ?? true
        let isKeyframe = place.boundary != nil || (place.isKeyframeOfSource && isDue)
        if isKeyframe { latestKeyframe = place.decodeTime }

        let frame = try deinterlacer.process(decoded)
        if cascade?.takes(frame) != true {
            cascade = try PictureCascade(from: frame, format, to: rungs)
        }
        for index in skipped.indices { skipped[index] += 1 }
        let taken = rungs.indices.filter { isKeyframe || skipped[$0] >= divisors[$0] }
        guard let last = taken.last else { return }
        try cascade?.scale(frame, through: last) { index, picture in
            guard taken.contains(index) else { return }
            skipped[index] = 0
            let raw = RawPicture(
                picture: picture,
                place: place,
                isKeyframe: isKeyframe,
                since: entered
            )
            emit(.rung(index, .picture(raw)))
        }
    }
}

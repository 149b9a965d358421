import CFFmpeg
import Media

/// Decodes a stream's picture once and brings it to the size of every rung.
///
/// A picture that cannot be decoded is left out, and so are those up to the next keyframe, where the
/// decoder begins anew; on another device, if it was the device that failed. Thread: that of the ladder.
final class LadderSource {
    enum Output {
        /// For every rung.
        case all(RungWork)
        /// For one rung.
        case rung(Int, RungWork)
    }

    /// Source keyframes that are closer together than this are not keyframes of every rung: a source
    /// of keyframes alone would cost as much again.
    private static let keyframeDistance = Int64(MediaTime.mpegTimescale)

    private let rungs: [LadderRung]
    private let seat: DeviceSeat
    private let emit: (Output) -> Void
    private var format: VideoFormat?
    /// What decodes, and where: scalers are made there as well.
    private var decoder: (any PictureDecoding)?
    private var device: any TranscodingDevice = CPUDevice.shared
    private let deinterlacer = Deinterlacer()
    private var places = PicturePlaces()
    private var isWaitingForKeyframe = false
    private var latestKeyframe: Int64?
    /// Of each rung.
    private var latestKeyframes: [Int64]
    private var cascade: PictureCascade?
    /// Of so many pictures each rung takes one, and has left out so many since.
    private var divisors: [Int]
    private var skipped: [Int]
    /// For each rung: of pictures that it left out, and of the one at hand.
    private var notes: [PictureNotes]
    /// As the source said last; it need not say it with each picture.
    private var orientation: DisplayOrientation?
    /// What is asked for, and from the next segment on is done.
    var wantedEffort = LadderEffort()
    private var effort = LadderEffort()
    private(set) var statistics = LadderStatistics.Decoding()

    /// `emit` is called with what is ready for the rungs, in order.
    init(rungs: [LadderRung], on seat: DeviceSeat, emit: @escaping (Output) -> Void) {
        self.rungs = rungs
        self.seat = seat
        self.emit = emit
        divisors = Array(repeating: 1, count: rungs.count)
        skipped = Array(repeating: 0, count: rungs.count)
        latestKeyframes = Array(repeating: 0, count: rungs.count)
        notes = Array(repeating: PictureNotes(), count: rungs.count)
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
        case .pause:
            break
        }
    }

    private func begin(_ format: VideoFormat) {
        if format != self.format {
            self.format = format
            cascade = nil
            decoder = nil
        }
        places = PicturePlaces()
        deinterlacer.restart()
        latestKeyframe = nil
        isWaitingForKeyframe = false
        effort = wantedEffort
        setDivisors()
        skipped = rungs.map { _ in 0 }
        notes = rungs.map { _ in PictureNotes() }
        orientation = nil
    }

    private func setDivisors() {
        divisors = rungs.enumerated().map { index, rung in
            let isHalved = effort.halvesFrameRates && index > 0
            return rung.divisor(for: format?.frameRate) * (isHalved ? 2 : 1)
        }
    }

    /// Where a segment begins, so that no rung has a hole.
    private func changeEffort() {
        guard effort != wantedEffort, let format else { return }
        let before = effort.leftOut
        effort = wantedEffort
        setDivisors()
        for index in rungs.indices where (index < before) != (index < effort.leftOut) {
            emit(.rung(index, index < before ? .begin(format) : .pause))
        }
    }

    private func decode(_ picture: Picture, since entered: ContinuousClock.Instant) {
        let notes = PictureNotes(in: picture.payload, of: format?.codec)
        places.note(picture, notes, since: entered)
        if picture.isKeyframe, seat.isToBeLeft { leaveDevice() }
        if isWaitingForKeyframe || decoder == nil {
            guard picture.isKeyframe, makeDecoder() else { return }
            isWaitingForKeyframe = false
        }
        feed(picture, at: picture.presentationTime)
    }

    private func makeDecoder() -> Bool {
        if let decoder {
            decoder.restart()
            return true
        }
        guard let format else { return false }
        while let next = seat.device {
            do throws(FFmpegError) {
                decoder = try next.makeDecoder(of: format)
                device = next
                return true
            } catch {
                guard seat.report(error, of: next), seat.move() else { return false }
            }
        }
        return false
    }

    /// An encoder failed: what the decoder still holds is the last that this device is given.
    private func leaveDevice() {
        feed(nil, at: 0)
        decoder = nil
        cascade = nil
        _ = seat.move()
    }

    private func feed(_ picture: Picture?, at time: Int64) {
        do throws(FFmpegError) {
            try decoder?.decode(picture?.payload, at: time) { frame, time throws(FFmpegError) in
                try scale(frame, shownAt: time)
            }
        } catch {
            isWaitingForKeyframe = true
            guard seat.report(error, of: device) else { return }
            decoder = nil
            cascade = nil
            // The keyframe at hand is as good a place to begin anew as the next.
            guard let picture, picture.isKeyframe, seat.move(), makeDecoder() else { return }
            isWaitingForKeyframe = false
            feed(picture, at: time)
        }
    }

    /// One decoded picture, for each rung that takes it.
    private func scale(_ decoded: PictureFrame, shownAt time: Int64) throws(FFmpegError) {
        let decodedAt = ContinuousClock.now
        statistics.pictures &+= 1
        let lost = places.lost
        let next = places.place(shownAt: time)
        statistics.undecodablePictures &+= places.lost - lost
        guard let place = next else { return }
        let isDue = latestKeyframe.map { place.decodeTime - $0 >= Self.keyframeDistance } ?? true
        let isSharedKeyframe = place.boundary != nil || (place.isKeyframeOfSource && isDue)
        if isSharedKeyframe { latestKeyframe = place.decodeTime }

        var own = decoded.takeNotes(frameRate: decoder?.frameRate ?? 0)
        if decoded.isIntra || own.orientation != nil { orientation = own.orientation }
        own.orientation = orientation
        for index in notes.indices { notes[index].append(place.notes ?? own) }
        if place.boundary != nil { changeEffort() }
        for index in skipped.indices { skipped[index] += 1 }
        let taken = rungs.indices.filter { index in
            index >= effort.leftOut && (isSharedKeyframe || skipped[index] >= divisors[index])
        }
        guard let last = taken.last else { return }
        var done = 0
        defer {
            // Where it fails: what was to begin with this picture begins with the next.
            for index in taken where index >= done {
                emit(.rung(index, .lost(place.boundary, isKeyframe: isSharedKeyframe)))
            }
        }
        let frame = try deinterlacer.process(decoded)
        if cascade?.takes(frame) != true {
            cascade = try PictureCascade(from: frame, format, to: rungs, on: device)
        }
        try cascade?.scale(frame, through: last) { index, picture in
            done = index + 1
            guard taken.contains(index) else { return }
            skipped[index] = 0
            let isKeyframe = isSharedKeyframe || isKeyframeDue(in: index, at: place.decodeTime)
            if isKeyframe { latestKeyframes[index] = place.decodeTime }
            let raw = RawPicture(
                picture: picture,
                device: device,
                place: place,
                isKeyframe: isKeyframe,
                preset: rungs[index].preset.faster(by: effort.fasterPresets),
                notes: notes[index].take(),
                decoded: decodedAt,
                scaled: .now
            )
            emit(.rung(index, .picture(raw)))
        }
    }

    /// The rung has its own, closer together than the source's.
    private func isKeyframeDue(in index: Int, at time: Int64) -> Bool {
        guard let interval = rungs[index].keyframeInterval else { return false }
        return time - latestKeyframes[index] >= interval
    }
}

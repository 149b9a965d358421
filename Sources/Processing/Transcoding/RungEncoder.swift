import Media
import NIOCore
import Synchronization

/// What goes to the encoder of a rung.
enum RungWork: Sendable {
    /// A timeline of pictures that come from this format begins.
    case begin(VideoFormat)
    case picture(RawPicture)
    /// A picture that was to be one, and begin a segment, could not be made.
    case lost(SegmentBoundary?, isKeyframe: Bool)
    case end
    /// Nothing comes before the next timeline.
    case pause
}

/// A picture to be encoded, and where it belongs.
struct RawPicture: Sendable {
    let picture: SharedPicture
    /// Where it is.
    let device: any TranscodingDevice
    var place: PicturePlaces.Place
    var isKeyframe: Bool
    let preset: TranscodingPreset
    var notes = PictureNotes()
    /// When it came out of the decoder, and was of its size.
    let decoded, scaled: ContinuousClock.Instant
}

/// The encoder of one rung, on a thread of its own.
///
/// Bound: `queueLimit` pictures wait; one that is too many is left out, and what begins with it begins
///        with the next.
/// Delay: none beside the encoder's work, but for what `TranscodingMode.quality` holds back.
final class RungEncoder: Sendable {
    /// The part that a stream begins with comes at once: 20 pictures of 60 a second.
    ///
    /// A rung that is further behind does not catch up by itself.
    static let queueLimit = 24

    private struct Intake {
        var boundary: SegmentBoundary?
        var isKeyframe = false
        var lost: UInt64 = 0
        var notes = PictureNotes()

        mutating func lose(_ boundary: SegmentBoundary?, _ isKeyframe: Bool) {
            self.boundary = boundary ?? self.boundary
            self.isKeyframe = self.isKeyframe || isKeyframe
            lost &+= 1
        }
    }

    let rung: LadderRung
    private let seat: DeviceSeat
    private let queue = WorkQueue<RungWork>()
    private let intake = Mutex(Intake())
    private let measured: Mutex<LadderStatistics.Rung>
    private let probe = Mutex<QualityProbe?>(nil)

    init(_ rung: LadderRung, on seat: DeviceSeat) {
        self.rung = rung
        self.seat = seat
        measured = Mutex(LadderStatistics.Rung(rung))
    }

    func send(_ work: RungWork) {
        guard case .picture(var picture) = work else {
            if case .lost(let boundary, let isKeyframe) = work {
                intake.withLock { $0.lose(boundary, isKeyframe) }
                return
            }
            intake.withLock { $0 = Intake(lost: $0.lost) }
            queue.append(work)
            return
        }
        intake.withLock { intake in
            let boundary = picture.place.boundary ?? intake.boundary
            picture.place.boundary = boundary
            picture.isKeyframe = picture.isKeyframe || intake.isKeyframe
            var notes = intake.notes
            notes.append(picture.notes)
            let held = notes
            picture.notes = notes.take()
            if queue.append(.picture(picture), cost: 1, limit: Self.queueLimit) {
                intake = Intake(lost: intake.lost, notes: notes)
            } else {
                intake.lose(boundary, picture.isKeyframe)
                intake.notes = held
            }
        }
    }

    func close(leavingOut: Bool = false) {
        queue.close(leavingOut: leavingOut)
    }

    /// Has coded pictures compared with what they were made of; `nil` ends it.
    func insert(_ probe: QualityProbe?) {
        self.probe.withLock { $0 = probe }
    }

    var isBeingMeasured: Bool { probe.withLock { $0 != nil } }

    /// Works until `close`.
    func run(deliver: (PictureEvent) -> Void) {
        var line = RungLine(rung, on: seat)
        while let work = queue.next() {
            line.probe = probe.withLock { $0 }
            for event in line.consume(work) { deliver(event) }
            let statistics = line.statistics
            measured.withLock { $0 = statistics }
        }
    }

    var queued: Int { queue.count }

    var statistics: LadderStatistics.Rung {
        var statistics = measured.withLock { $0 }
        statistics.lostPictures &+= intake.withLock { $0.lost }
        statistics.queued = queued
        return statistics
    }
}

/// One rung's pictures, from samples to access units; of one thread.
private struct RungLine {
    private let rung: LadderRung
    private let seat: DeviceSeat
    private var source: VideoFormat?
    private var encoder: (any PictureEncoding)?
    /// Of the encoder, or the one that failed as one.
    private var device: (any TranscodingDevice)?
    private var hasDeviceFailed = false
    /// Of the encoder.
    private var preset: TranscodingPreset?
    /// Of the encoder's pictures.
    private var pool: PicturePool?
    /// What pictures that were lost here were to begin.
    private var owed: (boundary: SegmentBoundary?, isKeyframe: Bool) = (nil, false)
    private var owedNotes = PictureNotes()
    private var parser: VideoBitstreamParser
    /// In the encoder; they come out in the same order.
    private var pending: [RawPicture] = []
    private var index = 0
    /// The timeline's first picture has come out.
    private var hasBegun = false
    /// The timeline's first picture has yet to go into the encoder.
    private var isKeyframeDue = false
    /// As it was told of last.
    private var format: VideoFormat?
    private(set) var statistics: LadderStatistics.Rung
    var probe: QualityProbe?

    init(_ rung: LadderRung, on seat: DeviceSeat) {
        self.rung = rung
        self.seat = seat
        parser = VideoBitstreamParser(codec: rung.codec)
        statistics = LadderStatistics.Rung(rung)
    }

    mutating func consume(_ work: RungWork) -> [PictureEvent] {
        defer { statistics.cpuSeconds = ThreadClock.now / .seconds(1) }
        switch work {
        case .begin(let format):
            let last = pending.isEmpty ? [] : drain()
            if format != source { encoder = nil }
            source = format
            hasBegun = false
            isKeyframeDue = true
            owed = (nil, false)
            owedNotes = PictureNotes()
            statistics.beginTimeline()
            return last
        case .picture(let picture):
            return encode(picture)
        case .lost:
            return []
        case .end:
            let last = pending.isEmpty ? [] : drain()
            return last + [.end]
        case .pause:
            let last = pending.isEmpty ? [] : drain()
            encoder = nil
            return last + [.pause]
        }
    }

    private mutating func encode(_ incoming: RawPicture) -> [PictureEvent] {
        var picture = incoming
        var events: [PictureEvent] = []
        if device !== picture.device {
            events = pending.isEmpty ? [] : drain()
            encoder = nil
            device = picture.device
            hasDeviceFailed = false
        }
        // Another preset may mean other parameter sets.
        if picture.place.boundary != nil, preset != picture.preset {
            events += pending.isEmpty ? [] : drain()
            encoder = nil
        }
        guard !hasDeviceFailed else {
            lose(picture)
            return events
        }
        picture.place.boundary = picture.place.boundary ?? owed.boundary
        picture.isKeyframe = picture.isKeyframe || owed.isKeyframe
        owed = (nil, false)
        owedNotes.append(picture.notes)
        picture.notes = owedNotes.take()
        pending.append(picture)
        do throws(FFmpegError) {
            let frame = try PictureFrame(referringTo: picture.picture)
            if encoder == nil || pool != frame.pool {
                let new = try makeEncoder(for: frame, of: picture)
                encoder = new
                statistics.device = (new.isOnDevice ? picture.device : CPUDevice.shared).name
                pool = frame.pool
                preset = picture.preset
            }
            guard let encoder else { return events }
            let coded = try encoder.encode(
                frame,
                index: index,
                asKeyframe: picture.isKeyframe || isKeyframeDue
            )
            isKeyframeDue = false
            index += 1
            return events + packaged(coded)
        } catch {
            fail(error, on: picture.device)
            return events
        }
    }

    /// An encoder that has given its last picture takes no more.
    private mutating func drain() -> [PictureEvent] {
        let events = packaged((try? encoder?.encode(nil, index: index, asKeyframe: false)) ?? [])
        encoder = nil
        pending.removeAll()
        return events
    }

    /// What a device took along when it failed is lost, and what comes until the ladder has left it.
    private mutating func fail(_ error: FFmpegError, on device: any TranscodingDevice) {
        statistics.failures &+= 1
        statistics.failure = "\(error)"
        hasDeviceFailed = seat.report(error, of: device)
        encoder = nil
        for picture in pending { lose(picture) }
        pending.removeAll()
    }

    private mutating func lose(_ picture: RawPicture) {
        owed.boundary = picture.place.boundary ?? owed.boundary
        owed.isKeyframe = owed.isKeyframe || picture.isKeyframe
        owedNotes.append(picture.notes)
        statistics.lostPictures &+= 1
    }

    private func makeEncoder(
        for frame: PictureFrame,
        of picture: RawPicture
    ) throws(FFmpegError) -> any PictureEncoding {
        let frames = source?.frameRate ?? Rational(30, 1)
        let divisor = rung.divisor(for: source?.frameRate)
        let rate = frames.flatMap { Rational($0.numerator, $0.denominator * divisor) }
        let terms = EncodingTerms(
            codec: rung.codec,
            width: rung.width,
            height: rung.height,
            bitsPerSecond: rung.bitsPerSecond,
            preset: picture.preset,
            frameRate: try FFmpegError.unwrap(rate, "frame rate"),
            sampleAspectRatio: source?.sampleAspectRatio,
            colour: source?.coloursOfSizes,
            hasTimecode: picture.notes.timecode != nil,
            lookahead: rung.mode.lookahead(of: rate)
        )
        return try picture.device.makeEncoder(terms, for: frame)
    }

    private mutating func packaged(_ coded: [ByteBuffer]) -> [PictureEvent] {
        let units = coded.flatMap { bytes in
            bytes.withUnsafeReadableBytes { bytes in
                parser.parse(bytes.assumingMemoryBound(to: UInt8.self).span)
            }
        }
        var events: [PictureEvent] = []
        for unit in units where !pending.isEmpty {
            let raw = pending.removeFirst()
            // Another encoder's parameter sets are another format.
            if !hasBegun || parser.format != format, let format = parser.format {
                events.append(.begin(format))
                self.format = format
                hasBegun = true
            }
            let isKeyframe = unit.randomAccess != .none
            var notes = raw.notes
            if !isKeyframe { notes.orientation = nil }
            let payload = notes.written(into: unit.payload, of: rung.codec)
            if let probe, let format = parser.format {
                probe.take(payload, of: raw.picture, isKeyframe: isKeyframe, format, of: rung)
            }
            statistics.count(
                LatestPictures.Sample(
                    decodeTime: raw.place.decodeTime,
                    bytes: payload.readableBytes,
                    decoded: raw.decoded,
                    scaled: raw.scaled,
                    encoded: .now,
                    since: raw.place.since
                )
            )
            events.append(
                .picture(
                    Picture(
                        decodeTime: raw.place.decodeTime,
                        presentationTime: raw.place.presentationTime,
                        randomAccess: unit.randomAccess,
                        isDisposable: unit.isDisposable,
                        payload: payload,
                        boundary: raw.place.boundary
                    )
                )
            )
        }
        statistics.heldPictures = pending.count
        return events
    }
}

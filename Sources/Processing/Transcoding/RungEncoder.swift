import Media
import NIOCore
import Synchronization

/// What goes to the encoder of a rung.
enum RungWork: Sendable {
    /// A timeline of pictures that come from this format begins.
    case begin(VideoFormat)
    case picture(RawPicture)
    case end
}

/// A picture to be encoded, and where it belongs.
struct RawPicture: Sendable {
    let picture: SharedPicture
    var place: PicturePlaces.Place
    var isKeyframe: Bool
    /// When its original came.
    let since: ContinuousClock.Instant
}

/// The encoder of one rung, on a thread of its own.
///
/// Bound: `queueLimit` pictures wait; one that is too many is left out, and what begins with it begins
///        with the next.
/// Delay: none beside the encoder's work: no picture is held back.
final class RungEncoder: Sendable {
    /// The part that a stream begins with comes at once: 20 pictures of 60 a second.
    ///
    /// A rung that is further behind does not catch up by itself.
    static let queueLimit = 24

    private struct Intake {
        var boundary: SegmentBoundary?
        var isKeyframe = false
        var lost: UInt64 = 0
    }

    let rung: LadderRung
    private let queue = WorkQueue<RungWork>()
    private let intake = Mutex(Intake())
    private let measured: Mutex<LadderStatistics.Rung>

    init(_ rung: LadderRung) {
        self.rung = rung
        measured = Mutex(LadderStatistics.Rung(rung))
    }

    func send(_ work: RungWork) {
        guard case .picture(var picture) = work else {
            intake.withLock { $0 = Intake(lost: $0.lost) }
            queue.append(work)
            return
        }
        intake.withLock { intake in
            let boundary = picture.place.boundary ?? intake.boundary
            picture.place.boundary = boundary
            picture.isKeyframe = picture.isKeyframe || intake.isKeyframe
            if queue.append(.picture(picture), cost: 1, limit: Self.queueLimit) {
                intake = Intake(lost: intake.lost)
            } else {
                intake = Intake(
                    boundary: boundary,
                    isKeyframe: picture.isKeyframe,
                    lost: intake.lost &+ 1
                )
            }
        }
    }

    func close(leavingOut: Bool = false) {
        queue.close(leavingOut: leavingOut)
    }

    /// Works until `close`.
    func run(deliver: (PictureEvent) -> Void) {
        var line = RungLine(rung)
        while let work = queue.next() {
            for event in line.consume(work) { deliver(event) }
            let statistics = line.statistics
            measured.withLock { $0 = statistics }
        }
    }

    var statistics: LadderStatistics.Rung {
        var statistics = measured.withLock { $0 }
        statistics.lostPictures = intake.withLock { $0.lost }
        statistics.queued = queue.count
        return statistics
    }
}

/// One rung's pictures, from samples to access units; of one thread.
private struct RungLine {
    private let rung: LadderRung
    private var source: VideoFormat?
    private var encoder: PictureEncoder?
    private var parser: VideoBitstreamParser
    /// In the encoder.
    private var pending: [RawPicture] = []
    private var index = 0
    /// The timeline's first picture has come out.
    private var hasBegun = false
    private(set) var statistics: LadderStatistics.Rung

    init(_ rung: LadderRung) {
        self.rung = rung
        parser = VideoBitstreamParser(codec: rung.codec)
        statistics = LadderStatistics.Rung(rung)
    }

    mutating func consume(_ work: RungWork) -> [PictureEvent] {
        defer { statistics.cpuSeconds = ThreadClock.now / .seconds(1) }
        switch work {
        case .begin(let format):
            if format != source { encoder = nil }
            source = format
            hasBegun = false
            return []
        case .picture(let picture):
            return encode(picture)
        case .end:
            let last = pending.isEmpty ? [] : drain()
            return last + [.end]
        }
    }

    private mutating func encode(_ picture: RawPicture) -> [PictureEvent] {
        do throws(FFmpegError) {
            let isFirst = encoder == nil
            if encoder == nil { encoder = try makeEncoder() }
            guard let encoder else { return [] }
            let frame = try PictureFrame(referringTo: picture.picture)
            pending.append(picture)
            let coded = try encoder.encode(
                frame,
                index: index,
                asKeyframe: picture.isKeyframe || isFirst || !hasBegun
            )
            index += 1
            return packaged(coded)
        } catch {
            fail(error)
            return []
        }
    }

    /// An encoder that has given its last picture takes no more.
    private mutating func drain() -> [PictureEvent] {
        let events = packaged((try? encoder?.encode(nil, index: index)) ?? [])
        encoder = nil
        pending.removeAll()
        return events
    }

    private mutating func fail(_ error: FFmpegError) {
        statistics.failures &+= 1
        statistics.failure = "\(error)"
        encoder = nil
        pending.removeAll()
    }

    private func makeEncoder() throws(FFmpegError) -> PictureEncoder {
        let frames = source?.frameRate ?? Rational(30, 1)
        let divisor = rung.divisor(for: source?.frameRate)
        let rate = frames.flatMap { Rational($0.numerator, $0.denominator * divisor) }
        return try PictureEncoder(
            PictureEncoder.Settings(
                codec: rung.codec,
                rate: .live(bitsPerSecond: rung.bitsPerSecond, rung.preset),
                width: rung.width,
                height: rung.height,
                sampleAspectRatio: source?.sampleAspectRatio,
                frameRate: try FFmpegError.unwrap(rate, "frame rate"),
                layout: PictureCascade.layout,
                colour: source?.colour
            )
        )
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
            if !hasBegun, let format = parser.format {
                events.append(.begin(format))
                hasBegun = true
            }
            statistics.count(bytes: unit.payload.readableBytes, after: .now - raw.since)
            events.append(
                .picture(
                    Picture(
                        decodeTime: raw.place.decodeTime,
                        presentationTime: raw.place.presentationTime,
                        randomAccess: unit.randomAccess,
                        isDisposable: unit.isDisposable,
                        payload: unit.payload,
                        boundary: raw.place.boundary
                    )
                )
            )
        }
        statistics.heldPictures = pending.count
        return events
    }
}

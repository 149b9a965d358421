import CFFmpeg
import Media
import NIOCore
import Synchronization

/// Compares a run of coded pictures of each rung with what went into the encoder.
///
/// In:    each rung's coded pictures, on the rung's thread, which only keeps references here.
/// Out:   what was measured of each, from a keyframe on, `pictureLimit` pictures or as many as come in time.
/// Bound: `byteLimit` of pictures that wait. Where one is too many, its rung has had enough.
final class QualityProbe: Sendable {
    /// Two seconds of 30 pictures.
    static let pictureLimit = 60
    /// 20 pictures of 1080p.
    private static let byteLimit = 64 << 20

    /// A coded picture and the one it was made of.
    private struct Sample {
        let rung: Int
        let original: SharedPicture
        let coded: ByteBuffer
        let format: VideoFormat
    }

    private enum Phase {
        case waiting
        /// So many have been taken.
        case taking(Int)
        case over
    }

    private let rungs: [LadderRung]
    private let phases: Mutex<[Phase]>
    private let queue = WorkQueue<Sample>()

    init(_ rungs: [LadderRung]) {
        self.rungs = rungs
        phases = Mutex(rungs.map { _ in .waiting })
    }

    /// Takes a coded picture, if it is one of those that are wanted; never blocks.
    func take(
        _ coded: ByteBuffer,
        of original: SharedPicture,
        isKeyframe: Bool,
        _ format: VideoFormat,
        of rung: LadderRung
    ) {
        guard let index = rungs.firstIndex(where: { $0.name == rung.name }) else { return }
        let isLast = phases.withLock { phases in
            let taken: Int
            switch phases[index] {
            case .waiting where isKeyframe: taken = 0
            case .taking(let count): taken = count
            default: return false
            }
            let sample = Sample(rung: index, original: original, coded: coded, format: format)
            let size = rung.width * rung.height * 3 / 2
            let isTaken = queue.append(sample, cost: size, limit: Self.byteLimit)
            phases[index] =
                isTaken && taken + 1 < Self.pictureLimit ? .taking(taken + 1) : .over
            return phases.allSatisfy { if case .over = $0 { true } else { false } }
        }
        if isLast { queue.close() }
    }

    /// No more is taken; `measure` returns.
    func close() {
        queue.close(leavingOut: true)
    }

    /// Measures until every rung has had its pictures, or `close`.
    ///
    /// Blocks.
    func measure() -> [RungQuality] {
        var lines = rungs.map(Line.init)
        while let sample = queue.next() {
            lines[sample.rung].measure(sample)
        }
        return lines.map(\.quality).filter { $0.pictures > 0 }
    }

    /// One rung's pictures, decoded.
    private struct Line {
        private(set) var quality: RungQuality
        private var decoder: PictureDecoder?
        private var originals: [Int64: SharedPicture] = [:]
        private var index: Int64 = 0

        init(_ rung: LadderRung) {
            quality = RungQuality(rung)
        }

        /// What cannot be decoded is not measured.
        mutating func measure(_ sample: Sample) {
            if decoder == nil {
                decoder = try? PictureDecoder(
                    .video(sample.format.codec),
                    configuration: sample.format.decoderConfiguration
                )
            }
            guard let decoder else { return }
            originals[index] = sample.original
            var compared: [PictureQuality] = []
            var shown: [Int64] = []
            try? decoder.decode(sample.coded, at: index) { frame, time throws(FFmpegError) in
                shown.append(time)
                guard let original = originals[time] else { return }
                let quality = frame.lend { frame in
                    original.lend { original in
                        original.flatMap {
                            PictureQuality(of: frame.pointee, against: $0.pointee)
                        }
                    }
                }
                if let quality { compared.append(quality) }
            }
            for time in shown { originals[time] = nil }
            for quality in compared { self.quality.add(quality) }
            index += 1
        }
    }
}

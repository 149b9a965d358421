import CFFmpeg
import Media

/// One track of sound, decoded once and encoded in each format; of one thread.
///
/// What cannot be decoded, and what was lost on the way here, is silence as long as it was. Decoder and
/// encoders begin anew with each timeline.
struct SoundLane {
    /// What comes of it, of which output.
    typealias Emit = (_ output: Int, _ event: SoundEvent) -> Void

    private let outputs: [SoundOutputFormat]
    private var source: AudioFormat?
    private var decoder: SoundDecoder?
    /// Of this timeline; `nil` for formats that cannot be made of its sound.
    private var lines: [SoundLine?] = []
    /// That the timeline began with.
    private var boundaries: [SegmentBoundary] = []
    /// Where the timeline begins, and how much of it has been taken: in samples of the source.
    private var start: Int64?
    private var taken: Int64 = 0
    private(set) var undecodableFrames: UInt64 = 0
    /// What went wrong last, of each output.
    private(set) var failures: [String?]

    init(_ outputs: [SoundOutputFormat]) {
        self.outputs = outputs
        failures = outputs.map { _ in nil }
    }

    mutating func consume(_ event: SoundEvent, emit: Emit) {
        switch event {
        case .begin(let format):
            source = format
            decoder = nil
            boundaries = []
            lines = []
            start = nil
        case .boundary(let boundary):
            if start == nil { boundaries.append(boundary) }
            for index in lines.indices where lines[index] != nil { emit(index, event) }
        case .frame(let frame):
            guard let source else { return }
            if start == nil { begin(with: frame, of: source, emit) }
            take(frame, of: source, emit)
        case .end:
            perform(emit) { [taken] line throws(FFmpegError) in try line.finish(at: taken) }
            for index in lines.indices where lines[index] != nil { emit(index, event) }
            lines = []
            start = nil
        }
    }

    private mutating func begin(with frame: PlacedSound, of source: AudioFormat, _ emit: Emit) {
        start = frame.time.ticks
        taken = 0
        lines = outputs.indices.map { index in
            do throws(FFmpegError) {
                return try SoundLine(outputs[index], of: source, from: frame.time)
            } catch {
                failures[index] = "\(error)"
                return nil
            }
        }
        for index in lines.indices {
            guard let line = lines[index] else { continue }
            emit(index, .begin(line.format))
            for boundary in boundaries { emit(index, .boundary(boundary)) }
        }
        boundaries = []
    }

    private mutating func take(_ frame: PlacedSound, of source: AudioFormat, _ emit: Emit) {
        let length = Int64(source.samplesPerAccessUnit)
        guard let start, length > 0 else { return }
        let place = frame.time.ticks - start
        while taken + length <= place { pause(for: length, emit) }
        let end = taken + length
        do throws(FFmpegError) {
            if decoder == nil { decoder = try SoundDecoder(source) }
            try decoder?.decode(frame.payload) { (samples) throws(FFmpegError) in
                take(samples, of: source, until: end, emit)
            }
        } catch {
            undecodableFrames &+= 1
        }
        // What a decoder left out, were it all.
        if taken < end { pause(for: end - taken, emit) }
    }

    /// Samples that were decoded; a decoder gives no more of a frame than it has.
    private mutating func take(
        _ samples: UnsafeMutablePointer<AVFrame>,
        of source: AudioFormat,
        until end: Int64,
        _ emit: Emit
    ) {
        let rate = MediaTime(ticks: 1, timescale: UInt32(clamping: samples.pointee.sample_rate))
        let sourceRate = UInt32(clamping: source.sampleRate)
        let room = MediaTime(ticks: end - taken, timescale: sourceRate).converted(
            to: rate.timescale
        )
        guard samples.pointee.nb_samples > 0, room.ticks > 0 else { return }
        samples.pointee.nb_samples = min(samples.pointee.nb_samples, Int32(clamping: room.ticks))
        let time = taken
        let length = rate.multiplied(by: Int64(samples.pointee.nb_samples))
        taken += length.converted(to: sourceRate).ticks
        perform(emit) { line throws(FFmpegError) in try line.take(samples, at: time) }
    }

    private mutating func pause(for length: Int64, _ emit: Emit) {
        taken += length
        perform(emit) { [taken] line throws(FFmpegError) in try line.pause(until: taken) }
    }

    /// Has every line do some work; one that fails is silent for as long.
    private mutating func perform(
        _ emit: Emit,
        _ work: (SoundLine) throws(FFmpegError) -> [PlacedSound]
    ) {
        for index in lines.indices {
            guard let line = lines[index] else { continue }
            do throws(FFmpegError) {
                for frame in try work(line) { emit(index, .frame(frame)) }
            } catch {
                failures[index] = "\(error)"
                for frame in (try? line.pause(until: taken)) ?? [] { emit(index, .frame(frame)) }
            }
        }
    }
}

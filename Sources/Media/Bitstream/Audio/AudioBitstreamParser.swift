/// Cuts an audio elementary stream into frames, each with its time.
///
/// In:    the bytes of PES packets in order; a frame may span several.
/// Out:   frames in order. The first that begins in a PES packet has its `pts`; those after it
///        follow by the sum of their samples, so rounding does not add up.
/// Units: `pts` are ticks of the 90 kHz clock, unwrapped.
/// Bound: holds back at most `backlogLimit` bytes: the start of a frame that is not complete.
/// Gap:   any bytes are accepted; after damage it looks for the next frame that another follows.
package struct AudioBitstreamParser: Sendable {
    /// How frames are told apart in the elementary stream.
    package enum Framing: Sendable {
        case adts
        case latm
        case opus
        case ac3
        case eac3
        case mpegAudio
    }

    /// More than the longest frame of any format.
    static let backlogLimit = 65_536

    private var parser: any AudioFrameParser
    package private(set) var format: AudioFormat?

    private var backlog: [UInt8] = []
    /// Time of the next frame: `samples` after `origin`. `nil` until a time was given.
    private var origin: MediaTime?
    private var samples: Int64 = 0

    /// - Parameter opusChannelConfiguration: `channel_config_code` of the Opus audio descriptor.
    package init(framing: Framing, opusChannelConfiguration: UInt8? = nil) {
        parser =
            switch framing {
            case .adts: ADTSParser()
            case .latm: LATMParser()
            case .opus: OpusParser(channelConfiguration: opusChannelConfiguration ?? 2)
            case .ac3, .eac3: DolbyParser()
            case .mpegAudio: MPEGAudioParser()
            }
    }

    /// Takes the bytes of one PES packet.
    ///
    /// - Parameter pts: Of the first frame that begins in these bytes. Frames before the first
    ///   time known are dropped.
    package mutating func parse(_ bytes: Span<UInt8>, pts: MediaTime?) -> [AudioUnit] {
        var anchor = pts.map { (offset: backlog.count, time: $0) }
        for index in bytes.indices { backlog.append(bytes[index]) }
        var units: [AudioUnit] = []
        var position = 0
        scanning: while position < backlog.count {
            switch scan(at: position) {
            case .invalid:
                position += 1
            case .incomplete:
                break scanning
            case .frame(let length):
                if let start = anchor, position >= start.offset {
                    origin = start.time
                    samples = 0
                    anchor = nil
                }
                if let unit = parseFrame(position..<(position + length)) { units.append(unit) }
                position += length
            }
        }
        // A frame that has begun before the anchor keeps its time; the next takes the anchor's.
        keep(from: position, anchor: anchor)
        return units
    }

    /// Bytes were lost: what was begun cannot be completed.
    package mutating func reset() {
        backlog.removeAll(keepingCapacity: true)
        origin = nil
        samples = 0
        parser.reset()
    }

    /// What is at `position`; a frame only when what follows it can be one too.
    private func scan(at position: Int) -> AudioFrameScan {
        let rest = backlog.span.extracting(droppingFirst: position)
        let found = parser.scan(rest)
        guard case .frame(let length) = found, length < rest.count else { return found }
        let next = parser.scan(rest.extracting(droppingFirst: length))
        return next == .invalid ? .invalid : found
    }

    private mutating func parseFrame(_ range: Range<Int>) -> AudioUnit? {
        guard let frame = parser.parse(backlog.span.extracting(range)) else { return nil }
        let newFormat = frame.format == format ? nil : frame.format
        if newFormat != nil {
            // The sum goes on at another rate.
            origin = nextTime
            samples = 0
            format = frame.format
        }
        defer { samples &+= Int64(frame.format.samplesPerAccessUnit) }
        guard let nextTime else { return nil }
        return AudioUnit(pts: nextTime, payload: frame.payload, newFormat: newFormat)
    }

    private var nextTime: MediaTime? {
        guard let origin, let format else { return origin }
        return origin + MediaTime(ticks: samples, timescale: UInt32(clamping: format.sampleRate))
    }

    private mutating func keep(from position: Int, anchor: (offset: Int, time: MediaTime)?) {
        backlog.removeFirst(position)
        if backlog.count > Self.backlogLimit {
            backlog.removeAll(keepingCapacity: true)
        }
    }
}

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

    /// More PES packets than one frame spans.
    private static let anchorLimit = 64

    private var backlog: [UInt8] = []
    /// Times of PES packets, each with the place in `backlog` where its bytes begin, that no frame
    /// has taken yet.
    private var anchors: [(offset: Int, time: MediaTime)] = []
    /// Time of the next frame: `samples` after `origin`.
    ///
    /// `nil` until a time was given.
    private var origin: MediaTime?
    private var samples: Int64 = 0

    /// `opusChannelConfiguration` is the `channel_config_code` of the Opus audio descriptor.
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
    /// `pts` belongs to the first frame that begins in these bytes. Frames before the first time
    /// known are dropped.
    package mutating func parse(_ bytes: Span<UInt8>, pts: MediaTime?) -> [AudioUnit] {
        if let pts, anchors.count < Self.anchorLimit { anchors.append((backlog.count, pts)) }
        bytes.withUnsafeBufferPointer { backlog.append(contentsOf: $0) }
        var units: [AudioUnit] = []
        var position = 0
        scanning: while position < backlog.count {
            switch scan(at: position) {
            case .invalid:
                position += 1
            case .incomplete:
                break scanning
            case .frame(let length):
                takeAnchors(upTo: position)
                if let unit = parseFrame(position..<(position + length)) { units.append(unit) }
                position += length
            }
        }
        discard(position)
        return units
    }

    /// Bytes were lost: what was begun cannot be completed, and no time is known.
    package mutating func reset() {
        discard(backlog.count)
        anchors.removeAll(keepingCapacity: true)
        origin = nil
        samples = 0
    }

    /// What is at `position`; a frame only when what follows it can be one too.
    private func scan(at position: Int) -> AudioFrameScan {
        let rest = backlog.span.extracting(droppingFirst: position)
        let found = parser.scan(rest)
        guard case .frame(let length) = found, length < rest.count else { return found }
        let next = parser.scan(rest.extracting(droppingFirst: length))
        return next == .invalid ? .invalid : found
    }

    /// The last PES packet that begins at or before a frame gives the frame its time.
    private mutating func takeAnchors(upTo position: Int) {
        let count = anchors.prefix { $0.offset <= position }.count
        guard count > 0 else { return }
        origin = anchors[count - 1].time
        samples = 0
        anchors.removeFirst(count)
    }

    private mutating func parseFrame(_ range: Range<Int>) -> AudioUnit? {
        let bytes = backlog
        guard let pts = nextTime, let frame = parser.parse(bytes.span.extracting(range)) else {
            return nil
        }
        var newFormat: AudioFormat?
        if frame.format != format {
            // The sum goes on at another rate.
            origin = pts
            samples = 0
            format = frame.format
            newFormat = frame.format
        }
        samples &+= Int64(frame.format.samplesPerAccessUnit)
        return AudioUnit(pts: pts, payload: frame.payload, newFormat: newFormat)
    }

    private var nextTime: MediaTime? {
        guard let origin, let format else { return origin }
        return origin + MediaTime(ticks: samples, timescale: UInt32(clamping: format.sampleRate))
    }

    private mutating func discard(_ count: Int) {
        backlog.removeFirst(count)
        for index in anchors.indices {
            anchors[index].offset = max(0, anchors[index].offset - count)
        }
        if backlog.count > Self.backlogLimit {
            backlog.removeAll(keepingCapacity: true)
            anchors.removeAll(keepingCapacity: true)
        }
    }
}

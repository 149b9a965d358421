import Media
import NIOCore

/// Writes the parts and segments of one rendition, in their legal order.
///
/// A segment opens with its first part, so none is ever empty. The identity and PART-TARGET stay for
/// the life of the stream; the track may change.
struct RenditionWriter: Sendable {
    let id: Rendition.ID
    /// The track it carries, or carried last when it is not offered.
    private(set) var track: Track
    private(set) var cmaf: CMAFTrack
    private(set) var isOffered = true
    /// Set once, never changed: players stop for good when it does.
    private(set) var partTarget: MediaTime?

    private(set) var partCount: UInt64 = 0
    /// Parts that are not the last of their segment and shorter than 85 % of PART-TARGET, or longer.
    private(set) var outOfTargetPartCount: UInt64 = 0

    private var initialization: ByteBuffer
    private var chunkSequence: UInt32 = 0
    private var segment: SegmentStart?
    private var isOpen = false
    private var wasShort = false

    /// - Returns: `nil` when CMAF does not carry the track.
    init?(id: Rendition.ID, track: Track) {
        guard let cmaf = CMAFTrack(track) else { return nil }
        self.id = id
        self.track = track
        self.cmaf = cmaf
        initialization = CMAFHeader.encode(cmaf)
    }

    /// The rendition as it is offered now; `nil` before its PART-TARGET is known.
    var rendition: Rendition? {
        guard isOffered, let partTarget else { return nil }
        return Rendition(
            id: id,
            track: track,
            initialization: initialization,
            partTarget: partTarget
        )
    }

    /// Takes another track, or none; between timelines only.
    mutating func carry(_ track: Track?) {
        guard let track, let cmaf = CMAFTrack(track) else {
            isOffered = false
            return
        }
        isOffered = true
        guard track != self.track else { return }
        self.track = track
        self.cmaf = cmaf
        initialization = CMAFHeader.encode(cmaf)
    }

    mutating func fix(partTarget: MediaTime) {
        self.partTarget = self.partTarget ?? partTarget
    }

    /// What is written from here on belongs to this segment.
    mutating func begin(_ segment: SegmentStart) {
        self.segment = segment
    }

    mutating func writePart(
        _ samples: ArraySlice<Sample>,
        into outputs: inout [PackagerOutput]
    ) {
        guard let first = samples.first else { return }
        if let segment {
            outputs.append(.openSegment(id, segment))
            self.segment = nil
            isOpen = true
        }
        chunkSequence &+= 1
        let ticks = samples.reduce(Int64(0)) { $0 + Int64($1.duration) }
        let duration = MediaTime(ticks: ticks, timescale: cmaf.timescale)
        let slices = CMAFChunk.encode(samples, of: cmaf, sequenceNumber: chunkSequence)
        let rest = samples.dropFirst().reduce(0) { $0 + $1.payload.readableBytes }
        let part = Part(
            slices: slices,
            duration: duration,
            isIndependent: first.flags == .sync,
            firstFrameEnd: slices.reduce(-rest) { $0 + $1.readableBytes }
        )
        outputs.append(.part(id, part))
        count(duration)
    }

    mutating func closeSegment(into outputs: inout [PackagerOutput]) {
        guard isOpen else { return }
        outputs.append(.closeSegment(id))
        isOpen = false
        wasShort = false
    }

    private mutating func count(_ duration: MediaTime) {
        partCount &+= 1
        guard let partTarget else { return }
        // Only the part that follows shows that a short one was not the last of its segment.
        if wasShort || duration > partTarget { outOfTargetPartCount &+= 1 }
        wasShort =
            duration <= partTarget
            && duration.multiplied(by: 100) < partTarget.multiplied(by: 85)
    }
}

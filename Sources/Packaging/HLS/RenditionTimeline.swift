package import DequeModule
package import Media
package import NIOCore

/// One rendition's published media: the segments its playlist lists, and the few that just left it.
///
/// Media sequence numbers of `segments` follow one another without a hole. Part numbers start at 0
/// and run on over the life of the rendition.
/// Bound: what `trim` leaves, and `retainedSegments` more that can still be fetched: a viewer who
///        read the playlist just before a segment left it has its availability duration to fetch it
///        (RFC 8216bis, 6.2.2). 50 Mbit/s and a 20 s window hold at most 26 s, or 163 MB.
package struct RenditionTimeline: Sendable {
    /// Segments that have left the playlist and are kept.
    package static let retainedSegments = 2

    /// Where a part stands: `part` counts within its segment.
    package struct Position: Sendable, Hashable {
        package let mediaSequence: UInt64
        package let part: UInt64
    }

    /// What a playlist goes on listing.
    package struct Extent: Sendable {
        package let window: PackagingConfiguration.Window
        package let targetDurationSeconds: Int
        package let segmentLimit: Int
    }

    /// As it was offered last.
    package private(set) var rendition: Rendition
    /// PART-TARGET, as it was offered first: it must not change.
    package let partTarget: MediaTime
    package var isOffered = true

    package private(set) var segments: Deque<Segment> = []
    package private(set) var retired: Deque<Segment> = []
    /// The newest part; stays when the segments are gone.
    package private(set) var newest: Position?
    package private(set) var nextPart: UInt64 = 0
    package private(set) var initializations: [UInt64: ByteBuffer]
    package private(set) var initialization: UInt64 = 0
    package private(set) var bitrate = BitrateMeter()
    /// Of the I-frames that whole segments begin with.
    package private(set) var iFrameBitrate = BitrateMeter()
    package private(set) var bytesHeld: Int
    /// Opened, and no part has come yet.
    package private(set) var pending: (start: SegmentStart, initialization: UInt64)?
    /// Of the newest segment that ever was.
    package private(set) var discontinuitySequence: UInt64 = 0

    private var listedMicroseconds: Int64 = 0

    package init(_ rendition: Rendition) {
        self.rendition = rendition
        partTarget = rendition.partTarget
        initializations = [0: rendition.initialization]
        bytesHeld = rendition.initialization.readableBytes
    }

    // MARK: Looking up

    /// The segment that the next part goes to; `nil` when that opens one.
    package var growing: Segment? {
        guard pending == nil, let last = segments.last, !last.isComplete else { return nil }
        return last
    }

    package func segment(_ mediaSequence: UInt64) -> Segment? {
        if let first = segments.first, mediaSequence >= first.mediaSequence {
            let offset = mediaSequence - first.mediaSequence
            return offset < UInt64(segments.count) ? segments[Int(offset)] : nil
        }
        return retired.first { $0.mediaSequence == mediaSequence }
    }

    package func part(_ number: UInt64) -> Part? {
        let holder =
            segments.last { $0.firstPart <= number } ?? retired.last { $0.firstPart <= number }
        guard let holder, number - holder.firstPart < UInt64(holder.parts.count) else { return nil }
        return holder.parts[Int(number - holder.firstPart)]
    }

    /// Whether the playlist has come as far as a request asks.
    ///
    /// A part beyond its segment's last is the first of the next segment (RFC 8216bis, 6.2.5.2).
    package func hasReached(mediaSequence: UInt64, part: UInt64?) -> Bool {
        guard let newest, newest.mediaSequence >= mediaSequence else { return false }
        if newest.mediaSequence > mediaSequence { return true }
        guard let part else { return segments.last?.isComplete ?? true }
        return newest.part >= part
    }

    /// The numbers of the whole segments that are listed; `nil` where there is none.
    package var wholeSegments: ClosedRange<UInt64>? {
        guard let first = segments.first, let last = segments.last(where: \.isComplete) else {
            return nil
        }
        return first.mediaSequence...last.mediaSequence
    }

    // MARK: Publishing

    /// A new initialization is used by the segments that are opened after it.
    package mutating func update(_ rendition: Rendition) {
        let isNew = rendition.initialization != self.rendition.initialization
        self.rendition = rendition
        isOffered = true
        guard isNew else { return }
        initialization += 1
        initializations[initialization] = rendition.initialization
        bytesHeld += rendition.initialization.readableBytes
        dropUnusedInitializations()
    }

    /// Ends the growing segment, if there is one.
    ///
    /// - Returns: Whether the segment may open: its number must be above all before.
    package mutating func open(_ start: SegmentStart, targetDurationSeconds: Int) -> Bool {
        close(targetDurationSeconds: targetDurationSeconds)
        if let newest, start.mediaSequence <= newest.mediaSequence { return false }
        pending = (start, initialization)
        return true
    }

    /// Starts to list the pending segment: its first part is about to be appended.
    ///
    /// `gaps` stand for the numbers between the newest and this one. Without them, when numbers are
    /// missing, a new list starts, as if the gap had gone by.
    package mutating func begin(discontinuitySequence: UInt64, gaps: [Segment]) {
        guard let (start, initialization) = pending else { return }
        pending = nil
        for gap in gaps {
            append(gap)
        }
        if let last = segments.last, last.mediaSequence &+ 1 != start.mediaSequence {
            retireAll()
        }
        // A rendition that comes late has no segment before it that would tell.
        let isDiscontinuity =
            newest == nil
            ? start.isDiscontinuity && discontinuitySequence > 0
            : discontinuitySequence > self.discontinuitySequence
        append(
            Segment(
                start: start,
                isDiscontinuity: isDiscontinuity,
                discontinuitySequence: discontinuitySequence,
                initialization: initialization,
                firstPart: nextPart
            )
        )
    }

    /// - Returns: Whether there was a segment to append to.
    package mutating func append(_ part: Part) -> Bool {
        guard let last = segments.indices.last, !segments[last].isComplete else { return false }
        let before = segments[last].microseconds
        segments[last].append(part)
        listedMicroseconds += segments[last].microseconds - before
        bytesHeld += part.byteCount
        nextPart += 1
        bitrate.count(bytes: part.byteCount, microseconds: part.duration.microseconds)
        newest = Position(
            mediaSequence: segments[last].mediaSequence,
            part: UInt64(segments[last].parts.count - 1)
        )
        return true
    }

    /// Completes the growing segment; one that never got a part leaves no trace.
    package mutating func close(targetDurationSeconds: Int) {
        pending = nil
        guard let last = segments.indices.last, !segments[last].isComplete else { return }
        segments[last].complete()
        bitrate.closeRun(of: segments, targetDurationSeconds: targetDurationSeconds) {
            $0.byteCount
        }
        iFrameBitrate.count(
            bytes: segments[last].iFrameByteCount ?? 0,
            microseconds: segments[last].microseconds
        )
        iFrameBitrate.closeRun(of: segments, targetDurationSeconds: targetDurationSeconds) {
            $0.iFrameByteCount ?? 0
        }
    }

    private mutating func append(_ segment: Segment) {
        segments.append(segment)
        listedMicroseconds += segment.microseconds
        discontinuitySequence = segment.discontinuitySequence
    }

    // MARK: Letting go

    /// Takes segments off the playlist that are not needed to fill the window.
    ///
    /// What stays fills the window up to the live edge and has at least six whole segments lasting
    /// three target durations (RFC 8216bis, 6.2.2), unless that takes more than `segmentLimit`.
    package mutating func trim(to extent: Extent) {
        while let first = segments.first, first.isComplete, segments.count > 1 {
            let isOver = segments.count > extent.segmentLimit
            guard isOver || fills(extent, without: first) else { return }
            retireFirst()
        }
    }

    /// Lets go of the oldest segment at once, without keeping it; never of the newest.
    ///
    /// - Returns: Whether there was one to let go of.
    package mutating func evictOldest() -> Bool {
        if retired.isEmpty, segments.count > 1 { retireFirst() }
        guard let oldest = retired.popFirst() else { return false }
        forget(oldest)
        return true
    }

    /// Lets go of all segments; numbers run on, so names are not used again.
    package mutating func evictAll() {
        pending = nil
        retireAll()
        while evictOldest() {}
    }

    private func fills(_ extent: Extent, without first: Segment) -> Bool {
        let rest = listedMicroseconds - first.microseconds
        let whole = rest - (growing?.microseconds ?? 0)
        let wholeCount = segments.count - 1 - (growing == nil ? 0 : 1)
        guard wholeCount >= 6, whole >= Int64(extent.targetDurationSeconds) * 3_000_000 else {
            return false
        }
        return switch extent.window {
        case .segments(let count): wholeCount >= count
        case .duration(let duration): .microseconds(rest) >= duration
        }
    }

    private mutating func retireAll() {
        while !segments.isEmpty { retireFirst() }
    }

    private mutating func retireFirst() {
        guard let first = segments.popFirst() else { return }
        listedMicroseconds -= first.microseconds
        retired.append(first)
        if retired.count > Self.retainedSegments, let oldest = retired.popFirst() {
            forget(oldest)
        }
    }

    private mutating func forget(_ segment: Segment) {
        bytesHeld -= segment.byteCount
        dropUnusedInitializations()
    }

    private mutating func dropUnusedInitializations() {
        let oldest =
            retired.first?.initialization ?? segments.first?.initialization
            ?? pending?.initialization ?? initialization
        for (version, bytes) in initializations where version < oldest {
            initializations[version] = nil
            bytesHeld -= bytes.readableBytes
        }
    }
}

import Media
import NIOCore

/// Writes one rendition's media playlist.
///
/// The stored values are the constants of every media playlist of a stream: they are the same in all
/// renditions and never change (RFC 8216bis, 6.2.4 and 6.2.1).
/// Source: RFC 8216bis, 4.4.3 to 4.4.5 and Appendix B.1 (Low-Latency Server Configuration Profile).
package struct MediaPlaylistRenderer: Sendable {
    /// How far another rendition is: EXT-X-RENDITION-REPORT.
    struct Report {
        let rendition: Rendition.ID
        let newest: RenditionTimeline.Position
    }

    let epoch: String
    let targetDurationSeconds: Int
    let partHoldBackMicroseconds: Int64
    /// Delta updates are offered: EXT-X-SERVER-CONTROL has CAN-SKIP-UNTIL.
    let canSkip: Bool

    /// PART-HOLD-BACK is a multiple of the longest PART-TARGET of the renditions offered first.
    init(configuration: PackagingConfiguration, epoch: String, longestPartTarget: MediaTime) {
        self.epoch = epoch
        targetDurationSeconds = configuration.targetDurationSeconds
        let holdBackParts = Int64(min(max(2, configuration.holdBackParts), 1_000))
        partHoldBackMicroseconds = holdBackParts * longestPartTarget.microsecondsRoundedUp
        let skipBoundary = Duration.seconds(configuration.targetDurationSeconds * 6)
        canSkip =
            switch configuration.window {
            case .duration(let window): window > skipBoundary
            case .segments(let count):
                configuration.segmentTarget * Double(count) > skipBoundary
            }
    }

    func render(
        _ timeline: RenditionTimeline,
        reports: [Report],
        isEnded: Bool,
        tag: String,
        publishedAt: ContinuousClock.Instant?
    ) -> RenderedPlaylist {
        var text = ByteBuffer()
        text.reserveCapacity(1_024 + 256 * timeline.segments.count)
        writeHeader(of: timeline, to: &text)

        let edges = Edges(of: timeline, targetDurationSeconds: targetDurationSeconds)
        let skippedCount = canSkip && !isEnded ? edges.skippable : 0
        let skippedStart = text.readableBytes
        var skippedEnd = skippedStart
        var initialization: UInt64?
        for (index, segment) in timeline.segments.enumerated() {
            if index == skippedCount { skippedEnd = text.readableBytes }
            write(
                segment,
                withMap: segment.initialization != initialization,
                withParts: index >= edges.firstWithParts,
                to: &text
            )
            initialization = segment.initialization
        }

        if isEnded {
            text.writeString("#EXT-X-ENDLIST\n")
        } else {
            writeHints(of: timeline, after: initialization, to: &text)
            for report in reports { write(report, to: &text) }
        }
        return RenderedPlaylist(
            plain: text,
            tag: tag,
            isEnded: isEnded,
            publishedAt: publishedAt,
            skippable: skippedCount > 0
                ? .init(count: skippedCount, range: skippedStart..<skippedEnd) : nil
        )
    }

    private func writeHeader(of timeline: RenditionTimeline, to text: inout ByteBuffer) {
        let skipUntil = canSkip ? ",CAN-SKIP-UNTIL=\(targetDurationSeconds * 6).0" : ""
        let holdBack = Self.seconds(partHoldBackMicroseconds)
        let partTarget = Self.seconds(timeline.partTarget.microsecondsRoundedUp)
        text.writeString(
            """
            #EXTM3U
            #EXT-X-VERSION:9
            #EXT-X-TARGETDURATION:\(targetDurationSeconds)
            #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=\(holdBack),\
            HOLD-BACK=\(targetDurationSeconds * 3).0\(skipUntil)
            #EXT-X-PART-INF:PART-TARGET=\(partTarget)

            """
        )
        writeNumbers(of: timeline, to: &text)
    }

    func writeNumbers(of timeline: RenditionTimeline, to text: inout ByteBuffer) {
        let first = timeline.segments.first
        // The tag of a discontinuity at the top is still in the list: it does not count as removed.
        let removedDiscontinuities =
            (first?.discontinuitySequence ?? timeline.discontinuitySequence)
            - (first?.isDiscontinuity == true ? 1 : 0)
        text.writeString(
            """
            #EXT-X-MEDIA-SEQUENCE:\(first?.mediaSequence ?? 0)
            #EXT-X-DISCONTINUITY-SEQUENCE:\(removedDiscontinuities)

            """
        )
    }

    private func write(
        _ segment: Segment,
        withMap: Bool,
        withParts: Bool,
        to text: inout ByteBuffer
    ) {
        writeStart(of: segment, withMap: withMap, to: &text)
        if segment.isGap { text.writeString("#EXT-X-GAP\n") }
        if withParts {
            for (number, part) in zip(segment.firstPart..., segment.parts) {
                let duration = Self.seconds(part.duration.microseconds)
                let name = ResourceName.part(number).text(epoch: epoch)
                let independent = part.isIndependent ? ",INDEPENDENT=YES" : ""
                text.writeString("#EXT-X-PART:DURATION=\(duration),URI=\"\(name)\"\(independent)\n")
            }
        }
        if segment.isComplete {
            let name = ResourceName.segment(segment.mediaSequence).text(epoch: epoch)
            text.writeString("#EXTINF:\(Self.seconds(segment.microseconds)),\n\(name)\n")
        }
    }

    func writeStart(of segment: Segment, withMap: Bool, to text: inout ByteBuffer) {
        if segment.isDiscontinuity { text.writeString("#EXT-X-DISCONTINUITY\n") }
        if withMap {
            let name = ResourceName.initialization(segment.initialization).text(epoch: epoch)
            text.writeString("#EXT-X-MAP:URI=\"\(name)\"\n")
        }
        text.writeString("#EXT-X-PROGRAM-DATE-TIME:\(segment.programDateTime.programDateTime)\n")
    }

    /// A new initialization is hinted until a segment that uses it is there; the next part always is.
    private func writeHints(
        of timeline: RenditionTimeline,
        after initialization: UInt64?,
        to text: inout ByteBuffer
    ) {
        if initialization != timeline.initialization {
            let name = ResourceName.initialization(timeline.initialization).text(epoch: epoch)
            text.writeString("#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"\(name)\"\n")
        }
        let name = ResourceName.part(timeline.nextPart).text(epoch: epoch)
        text.writeString("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"\(name)\"\n")
    }

    private func write(_ report: Report, to text: inout ByteBuffer) {
        text.writeString(
            """
            #EXT-X-RENDITION-REPORT:URI="../\(report.rendition)/playlist.m3u8",\
            LAST-MSN=\(report.newest.mediaSequence),LAST-PART=\(report.newest.part)

            """
        )
    }

    /// Six decimals, so that the sum of a day's durations stays within a frame of the truth.
    static func seconds(_ microseconds: Int64) -> String {
        "\(microseconds / 1_000_000).\(padded(microseconds % 1_000_000, 6))"
    }
}

extension MediaPlaylistRenderer {
    /// What the distance from the live end, that of the newest part, decides.
    private struct Edges {
        /// Segments that lie wholly beyond the skip boundary of six target durations.
        private(set) var skippable = 0
        /// Index of the first segment that begins within three target durations: parts are listed
        /// from there on, for whole segments only, so that a part's index is its place in the list.
        private(set) var firstWithParts = 0

        init(of timeline: RenditionTimeline, targetDurationSeconds: Int) {
            let target = Int64(targetDurationSeconds) * 1_000_000
            var distance: Int64 = 0
            firstWithParts = timeline.segments.count
            for (index, segment) in timeline.segments.enumerated().reversed() {
                if distance >= target * 6 {
                    skippable = index + 1
                    return
                }
                distance += segment.microseconds
                if distance <= target * 3 { firstWithParts = index }
            }
        }
    }
}

extension MediaTime {
    /// PART-TARGET is written so that no part, to the nearest microsecond, is longer.
    fileprivate var microsecondsRoundedUp: Int64 {
        let nearest = microseconds
        let isBelow = MediaTime(ticks: nearest, timescale: 1_000_000) < self
        return isBelow ? nearest + 1 : nearest
    }
}

import Packaging
import Testing

/// Reads every playlist of a stream and holds it against the rules and against those before it.
///
/// Source: RFC 8216bis, 4.4.3 to 4.4.5, 6.2.1, 6.2.2, 6.2.4, 6.2.5.1 and Appendix B.1.
struct PlaylistWitness {
    private struct Identity: Equatable {
        var discontinuitySequence: Int
        var dateAndLength: [String]
    }

    private let configuration: PackagingConfiguration
    private var older: [Rendition.ID: [ReadPlaylist]] = [:]
    private var whole: [Rendition.ID: [Int: Identity]] = [:]
    private var discontinuitySequences: [Int: Int] = [:]
    private var serverControl: String?
    private(set) var seen = 0
    private(set) var expandedDeltas = 0

    init(configuration: PackagingConfiguration) {
        self.configuration = configuration
    }

    mutating func see(
        _ playlist: RenderedPlaylist,
        of id: Rendition.ID,
        in state: SegmentStoreState
    ) {
        let text = playlist.plain.text
        let read = ReadPlaylist(text)
        seen += 1
        checkConstants(of: read, id)
        checkSegments(of: read, id)
        checkParts(of: read)
        checkTail(of: read, id, in: state)
        checkReach(of: read, id, in: state)
        if id.description.hasPrefix("video") { checkIFrames(beside: read, id, in: state) }
        checkDelta(of: playlist, text: text, id)
        older[id, default: []].append(read)
    }

    private mutating func checkConstants(of read: ReadPlaylist, _ id: Rendition.ID) {
        #expect(read.header.prefix(2) == ["#EXTM3U", "#EXT-X-VERSION:9"])
        #expect(read.header.count == 7)
        #expect(read.targetDuration == 2)
        let control = read.value(of: "#EXT-X-SERVER-CONTROL")
        #expect(serverControl == nil || serverControl == control)
        serverControl = control
        guard let last = older[id]?.last else { return }
        #expect(read.partTarget == last.partTarget)
        #expect(read.mediaSequence >= last.mediaSequence)
        #expect(read.discontinuitySequence >= last.discontinuitySequence)
        if read.mediaSequence > last.mediaSequence {
            #expect(read.duration >= 3 * read.targetDuration - 0.001)
        }
    }

    private mutating func checkSegments(of read: ReadPlaylist, _ id: Rendition.ID) {
        for segment in read.segments {
            let number = segment.mediaSequence
            let known = discontinuitySequences.updateValue(
                segment.discontinuitySequence,
                forKey: number
            )
            #expect(known == nil || known == segment.discontinuitySequence)
            #expect(segment.map != nil)
            #expect(segment.lines.contains { $0.hasPrefix("#EXT-X-PROGRAM-DATE-TIME:") })
            guard let duration = segment.duration else {
                #expect(number == read.segments.last?.mediaSequence)
                continue
            }
            #expect(segment.uri == "e1-seg\(number).m4s")
            #expect(duration.rounded() <= read.targetDuration)
            let identity = Identity(
                discontinuitySequence: segment.discontinuitySequence,
                dateAndLength: segment.lines.filter { $0 != "#EXT-X-DISCONTINUITY" }
            )
            let before = whole[id, default: [:]].updateValue(identity, forKey: number)
            #expect(before == nil || before == identity)
        }
    }

    private func checkParts(of read: ReadPlaylist) {
        let indexed = read.segments.filter { !$0.parts.isEmpty }
        let numbers = indexed.flatMap(\.parts).compactMap { part in
            Int(part.uri.dropFirst("e1-part".count).dropLast(".m4s".count))
        }
        #expect(numbers == Array((numbers.first ?? 0)..<((numbers.last ?? -1) + 1)))
        var distance = 0.0
        for segment in read.segments.reversed() {
            let listed = segment.parts.reduce(0) { $0 + $1.duration }
            distance += segment.duration ?? listed
            if segment.parts.isEmpty {
                #expect(segment.isGap || distance > 3 * read.targetDuration - 0.001)
            } else {
                #expect(distance < 3 * read.targetDuration + 0.001)
                if let duration = segment.duration { #expect(abs(duration - listed) < 0.0001) }
            }
            for part in segment.parts {
                #expect(part.duration <= read.partTarget)
                #expect(
                    part.duration >= 0.85 * read.partTarget || part.isIndependent
                        || part == segment.parts.last
                )
            }
        }
        #expect(read.segments.last?.parts.isEmpty == false)
    }

    private func checkTail(of read: ReadPlaylist, _ id: Rendition.ID, in state: SegmentStoreState) {
        guard !read.isEnded else {
            #expect(read.hints.isEmpty && read.segments.last?.duration != nil)
            return
        }
        let hints = read.hints.filter { $0["TYPE"] == "PART" }
        let newest = read.segments.last?.parts.last?.uri.dropFirst("e1-part".count).dropLast(4)
        let next = newest.flatMap { Int($0) }.map { $0 + 1 }
        #expect(hints.map { $0["URI"] } == [next.map { "e1-part\($0).m4s" }])
        for hint in read.hints where hint["TYPE"] == "MAP" {
            #expect(hint["URI"] != read.segments.last?.map)
        }
        let others = state.statistics.renditions.filter { $0.id != id && $0.lastPart != nil }
        #expect(read.reports.count == others.count)
        for (report, other) in zip(read.reports, others) {
            #expect(report["URI"] == "../\(other.id)/playlist.m3u8")
            // As fresh as the playlist that holds it: never ahead of the rendition.
            #expect(UInt64(report["LAST-MSN"] ?? "") ?? .max <= other.lastMediaSequence ?? 0)
        }
    }

    /// Everything listed can be fetched, and what is hinted can be waited for.
    private func checkReach(of read: ReadPlaylist, _ id: Rendition.ID, in state: SegmentStoreState)
    {
        for segment in read.segments {
            var uris = segment.parts.map(\.uri) + [segment.map ?? ""]
            if let uri = segment.uri, !segment.isGap { uris.append(uri) }
            for uri in uris {
                guard let name = ResourceName(uri, epoch: "e1"),
                    case .resource = state.resolve(.resource(id, name))
                else {
                    Issue.record("\(uri) is listed and not there")
                    continue
                }
            }
        }
        for hint in read.hints where hint["TYPE"] == "PART" {
            guard let name = ResourceName(hint["URI"] ?? "", epoch: "e1"),
                case .pending = state.resolve(.resource(id, name))
            else {
                Issue.record("\(hint) cannot be waited for")
                continue
            }
        }
    }

    /// The same whole segments under the same numbers, each with its I-frame if it has one.
    private func checkIFrames(
        beside read: ReadPlaylist,
        _ id: Rendition.ID,
        in state: SegmentStoreState
    ) {
        let whole = read.segments.filter { $0.duration != nil }
        guard case .playlist(let playlist) = state.resolve(.iFramePlaylist(id)) else {
            #expect(whole.isEmpty)
            return
        }
        let iFrames = ReadPlaylist(playlist.plain.text)
        #expect(iFrames.mediaSequence == read.mediaSequence)
        #expect(iFrames.discontinuitySequence == read.discontinuitySequence)
        #expect(iFrames.isEnded == read.isEnded)
        for (iFrame, segment) in zip(iFrames.segments, whole) {
            #expect(iFrame.map == segment.map && iFrame.uri == segment.uri)
            let hasNone = segment.isGap || segment.parts.first?.isIndependent == false
            if hasNone { #expect(iFrame.isGap) }
            let range = iFrame.lines.filter { $0.hasPrefix("#EXT-X-BYTERANGE:") }
            #expect(range.count == (iFrame.isGap ? 0 : 1))
            let notRange = { (line: String) in
                !line.hasPrefix("#EXT-X-BYTERANGE:") && line != "#EXT-X-GAP"
            }
            #expect(iFrame.lines.filter(notRange) == segment.lines.filter(notRange))
        }
        #expect(iFrames.segments.count == whole.count)
    }

    private mutating func checkDelta(
        of playlist: RenderedPlaylist,
        text: String,
        _ id: Rendition.ID
    ) {
        let delta = playlist.skipping(.yes)
        guard delta !== playlist else { return }
        let deltaText = delta.plain.text
        let update = ReadPlaylist(deltaText)
        #expect(update.skipped > 0)
        #expect(update.serverControl["CAN-SKIP-UNTIL"] == "12.0")
        // What stays reaches back over the skip boundary, by less than a segment.
        #expect(update.duration >= 12 - 0.001)
        #expect(update.duration < 12 + 2)
        // A client may ask with a playlist of up to half the skip boundary ago, 6 s or 18 parts.
        let before = older[id] ?? []
        for older in [before.last, before.dropLast(11).last].compactMap(\.self) {
            let expanded = ReadPlaylist.expand(deltaText, read: update, with: older)
            guard let expanded else { continue }
            #expect(expanded == text)
            expandedDeltas += 1
        }
    }
}

import Foundation
import NIOCore
import TestSupport

/// Follows one media playlist of a live stream as a low-latency player does, part by part, and notes
/// every rule of RFC 8216bis that it sees broken.
struct PlaylistFollower {
    let viewer: Viewer
    /// Absolute path of the playlist.
    let path: String

    private(set) var violations: [String] = []
    private(set) var playlists = 0
    private(set) var parts = 0
    private(set) var segments = 0
    private(set) var deltas = 0
    private(set) var hints = 0

    private var first: MediaPlaylist?
    private var previous: MediaPlaylist?
    private var partBytes: [String: ByteBuffer] = [:]
    private var listedParts: Set<String> = []
    private var knownDurations: [String: Double] = [:]

    init(viewer: Viewer, path: String) {
        self.viewer = viewer
        self.path = path
    }

    private var folder: Substring { MediaPlaylist.folder(of: path) }

    mutating func follow(for duration: Duration) async throws {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: duration)
        var playlist = try await viewer.playlist(path)
        try await check(playlist)
        while clock.now < end, !playlist.isEnded {
            let present = playlist
            let sequence = present.openMediaSequence
            let part = present.openParts.count
            async let hinted = hintedPart(of: present)
            async let delta = viewer.ask(
                "\(path)?_HLS_msn=\(sequence)&_HLS_part=\(part)&_HLS_skip=YES"
            )
            let answer = try await viewer.ask("\(path)?_HLS_msn=\(sequence)&_HLS_part=\(part)")
            guard answer.status == 200 else {
                violations.append("a blocking reload was answered \(answer.status): \(answer.text)")
                return
            }
            let next = try MediaPlaylist(answer.text)
            try await checkDelta(await delta, against: next)
            checkHint(try await hinted, of: playlist, in: next)
            checkReload(sequence: sequence, part: part, next)
            try await check(next)
            playlist = next
        }
    }

    /// Rules 1, 2, 6, 12 on one playlist, and that it continues the one before.
    private mutating func check(_ playlist: MediaPlaylist) async throws {
        playlists += 1
        let target = playlist.partTarget ?? 0
        if let first {
            if playlist.targetDuration != first.targetDuration
                || playlist.partTarget != first.partTarget
                || playlist.serverControl != first.serverControl
            {
                violations.append("rule 1: a constant changed:\n\(playlist.text.prefix(400))")
            }
        } else {
            first = playlist
            if target <= 0 { violations.append("no PART-TARGET") }
            if playlist.serverControl["CAN-BLOCK-RELOAD"] != "YES" {
                violations.append("no CAN-BLOCK-RELOAD")
            }
        }
        for segment in playlist.segments {
            if segment.duration.rounded() > Double(playlist.targetDuration) {
                violations.append("\(segment.uri) of \(segment.duration) s is above TARGETDURATION")
            }
            if segment.programDateTime == nil { violations.append("\(segment.uri) has no date") }
            checkParts(segment.parts, isOpen: false, target: target)
            let sum = segment.parts.reduce(0) { $0 + $1.duration }
            if !segment.parts.isEmpty, abs(sum - segment.duration) > 0.001 {
                violations.append(
                    "rule 6: parts of \(segment.uri): \(sum), EXTINF \(segment.duration)"
                )
            }
        }
        checkParts(playlist.openParts, isOpen: true, target: target)
        try await checkContinuation(playlist)
        previous = playlist
    }

    private mutating func checkParts(_ parts: [MediaPlaylist.Part], isOpen: Bool, target: Double) {
        for (index, part) in parts.enumerated() {
            if part.duration > target + 0.000_01 {
                violations.append("rule 2: \(part.uri) is \(part.duration) s, above \(target)")
            }
            let mayBeShort = !isOpen && index == parts.count - 1
            if !mayBeShort, part.duration < 0.85 * target {
                violations.append(
                    "rule 2: \(part.uri) is \(part.duration) s, below 85 % of \(target)"
                )
            }
        }
        if let opening = parts.first, !opening.isIndependent {
            violations.append("\(opening.uri) opens a segment and is not INDEPENDENT")
        }
    }

    /// What was there stays as it was; what is new is fetched and compared with its parts.
    private mutating func checkContinuation(_ playlist: MediaPlaylist) async throws {
        for part in playlist.allParts where listedParts.insert(part.uri).inserted {
            parts += 1
            let answer = try await viewer.ask(folder + part.uri)
            if answer.status != 200 || answer.body.readableBytes == 0 {
                violations.append("\(part.uri) is listed and answers \(answer.status)")
            }
            if let hinted = partBytes[part.uri], hinted != answer.body {
                violations.append("rule 7: \(part.uri) changed its bytes")
            }
            partBytes[part.uri] = answer.body
        }
        for segment in playlist.segments {
            if let known = knownDurations[segment.uri] {
                if known != segment.duration {
                    violations.append("\(segment.uri) changed its EXTINF")
                }
                continue
            }
            knownDurations[segment.uri] = segment.duration
            guard !segment.parts.isEmpty else { continue }
            segments += 1
            let answer = try await viewer.ask(folder + segment.uri)
            let whole = segment.parts.reduce(into: ByteBuffer()) { buffer, part in
                if let bytes = partBytes[part.uri] { buffer.writeImmutableBuffer(bytes) }
            }
            if answer.body != whole {
                violations.append("rule 12: \(segment.uri) is not its parts, one after the other")
            }
        }
        guard let previous else { return }
        if playlist.mediaSequence < previous.mediaSequence {
            violations.append("MEDIA-SEQUENCE went back")
        }
        for segment in playlist.segments {
            let index = segment.mediaSequence - previous.mediaSequence
            if previous.segments.indices.contains(index),
                previous.segments[index].uri != segment.uri
            {
                violations.append("segment \(segment.mediaSequence) changed its URI")
            }
        }
        if previous.openMediaSequence < playlist.openMediaSequence,
            let closed = playlist.segments.first(where: {
                $0.mediaSequence == previous.openMediaSequence
            }),
            closed.parts.count < previous.openParts.count
        {
            violations.append("rule 6: \(closed.uri) was closed without its parts")
        }
    }

    /// Rule 3 and its like: the answer holds what was asked for.
    private mutating func checkReload(sequence: Int, part: Int, _ playlist: MediaPlaylist) {
        let has =
            playlist.openMediaSequence > sequence
            || (playlist.openMediaSequence == sequence && playlist.openParts.count > part)
        if !has && !playlist.isEnded {
            violations.append("a reload for \(sequence).\(part) was answered without it")
        }
        if playlist.hintedPart == nil && !playlist.isEnded {
            violations.append("no PRELOAD-HINT")
        }
    }

    /// Rule 5.
    private mutating func checkDelta(
        _ answer: Viewer.Answer,
        against full: MediaPlaylist
    ) async throws {
        guard answer.status == 200 else {
            violations.append("a delta update was answered \(answer.status)")
            return
        }
        let delta = try MediaPlaylist(answer.text)
        guard let skipped = delta.skippedSegments else { return }
        if skipped == 0 { violations.append("rule 5: a skip of 0") }
        // Both were woken by the same part, unless another came between them.
        guard delta.openMediaSequence == full.openMediaSequence,
            delta.openParts.count == full.openParts.count
        else { return }
        deltas += 1
        let expanded = try MediaPlaylist(try delta.expanded(with: full))
        if expanded.segments.map(\.uri) != full.segments.map(\.uri)
            || expanded.segments.map(\.duration) != full.segments.map(\.duration)
            || expanded.openParts != full.openParts || expanded.mediaSequence != full.mediaSequence
        {
            violations.append("rule 5: a delta does not expand to the full playlist")
        }
    }

    private func hintedPart(of playlist: MediaPlaylist) async throws -> Viewer.Answer? {
        guard let hint = playlist.hintedPart else { return nil }
        return try await viewer.ask(folder + hint)
    }

    /// Rule 7.
    private mutating func checkHint(
        _ answer: Viewer.Answer?,
        of playlist: MediaPlaylist,
        in next: MediaPlaylist
    ) {
        guard let answer, let hint = playlist.hintedPart else { return }
        hints += 1
        if answer.status != 200 {
            violations.append("rule 7: the hinted \(hint) answered \(answer.status)")
        }
        let known = Set(playlist.allParts.map(\.uri))
        let new = next.allParts.first { !known.contains($0.uri) }
        if new?.uri != hint {
            violations.append("rule 7: \(hint) was hinted and \(new?.uri ?? "nothing") came")
        }
        partBytes[hint] = answer.body
    }
}

extension PlaylistFollower {
    /// What both were told of and not told the same; at least a few parts and segments must be known
    /// to both.
    func contradictions(to other: PlaylistFollower) -> [String] {
        let parts = partBytes.filter { other.partBytes[$0.key] != nil }
        let segments = knownDurations.filter { other.knownDurations[$0.key] != nil }
        var contradictions: [String] = []
        if parts.count < 60 || segments.count < 10 {
            contradictions.append("only \(parts.count) parts, \(segments.count) segments in common")
        }
        contradictions += parts.filter { other.partBytes[$0.key] != $0.value }.keys
        contradictions += segments.filter { other.knownDurations[$0.key] != $0.value }.keys
        return contradictions
    }
}

extension PlaylistFollower: CustomStringConvertible {
    var description: String {
        """
        \(path) over \(viewer.version.rawValue): \(playlists) playlists, \(parts) parts, \(segments) segments, \(hints) hints, \
        \(deltas) delta updates
        """
    }
}

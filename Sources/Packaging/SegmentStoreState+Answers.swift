import Media
import NIOCore

extension SegmentStoreState {
    package func resolve(_ wanted: Wanted) -> Resolution {
        switch wanted {
        case .multivariantPlaylist:
            if let multivariant { return .playlist(multivariant.playlist) }
            return isEnded ? .failure(.ended) : .pending
        case .playlist(let id, let mediaSequence, let part):
            return playlist(of: id, mediaSequence: mediaSequence, part: part)
        case .iFramePlaylist(let id):
            return iFramePlaylist(of: id)
        case .resource(let id, let name):
            return resource(name, of: id)
        }
    }

    private func playlist(
        of id: Rendition.ID,
        mediaSequence: UInt64?,
        part: UInt64?
    ) -> Resolution {
        guard let timeline = timelines[id] else { return .failure(.unknownRendition) }
        guard let playlist = playlists[id], let newest = timeline.newest else {
            return isEnded ? .failure(.ended) : .pending
        }
        // Once there is EXT-X-ENDLIST the directives are to be ignored.
        guard let mediaSequence, !isEnded else { return .playlist(playlist) }
        if timeline.hasReached(mediaSequence: mediaSequence, part: part) {
            return .playlist(playlist)
        }
        if mediaSequence > newest.mediaSequence, mediaSequence - newest.mediaSequence > 2 {
            return .failure(
                .tooFarAhead(
                    """
                    _HLS_msn=\(mediaSequence) is more than two past the newest segment, \
                    \(newest.mediaSequence)
                    """
                )
            )
        }
        if let part, part > highestPart(of: timeline, in: mediaSequence, after: newest) {
            return .failure(
                .tooFarAhead(
                    """
                    _HLS_part=\(part) is beyond the advance part limit: the newest part is \
                    \(newest.part) of segment \(newest.mediaSequence)
                    """
                )
            )
        }
        return .pending
    }

    private func iFramePlaylist(of id: Rendition.ID) -> Resolution {
        guard let timeline = timelines[id] else { return .failure(.unknownRendition) }
        guard timeline.rendition.track.video != nil else { return .failure(.unknownResource) }
        if let known = iFramePlaylists[id] { return .playlist(known.playlist) }
        return isEnded ? .failure(.ended) : .pending
    }

    /// The highest part index that may be waited for in a segment.
    ///
    /// Any index will do when the segment is whole: it then means the first part of the next.
    /// Source: RFC 8216bis, 6.2.5.2 (Advance Part Limit: three seconds of parts, at least three).
    private func highestPart(
        of timeline: RenditionTimeline,
        in mediaSequence: UInt64,
        after newest: RenditionTimeline.Position
    ) -> UInt64 {
        let target = timeline.partTarget
        let limit = UInt64(max(3, 3 * Int64(target.timescale) / max(target.ticks, 1)))
        guard mediaSequence == newest.mediaSequence else { return limit - 1 }
        return timeline.segments.last?.isComplete == true ? .max : newest.part + limit
    }

    private func resource(_ name: ResourceName, of id: Rendition.ID) -> Resolution {
        guard let timeline = timelines[id] else { return .failure(.unknownRendition) }
        switch name {
        case .initialization(let version):
            guard let bytes = timeline.initializations[version] else { break }
            return answer(name, .initialization, chunks: [bytes], of: timeline)
        case .segment(let mediaSequence):
            guard let segment = timeline.segment(mediaSequence), segment.isComplete, !segment.isGap
            else { break }
            return answer(name, .segment, chunks: segment.parts.flatMap(\.slices), of: timeline)
        case .part(let number):
            if let part = timeline.part(number) {
                return answer(name, .part, chunks: part.slices, of: timeline)
            }
            if number == timeline.nextPart, !isEnded { return .pending }
        }
        return .failure(.unknownResource)
    }

    private func answer(
        _ name: ResourceName,
        _ kind: MediaResource.Kind,
        chunks: [ByteBuffer],
        of timeline: RenditionTimeline
    ) -> Resolution {
        let rendition = timeline.rendition
        return .resource(
            MediaResource(
                kind: kind,
                chunks: chunks,
                contentType: rendition.track.video == nil ? "audio/mp4" : "video/mp4",
                etag: "\"\(rendition.id)-\(name.text(epoch: epoch))\""
            )
        )
    }
}

extension SegmentStoreState {
    package var statistics: SegmentStoreStatistics {
        var statistics = counts
        for id in order {
            guard let timeline = timelines[id] else { continue }
            let held = timeline.retired.map(\.parts.count) + timeline.segments.map(\.parts.count)
            statistics.bytesHeld += timeline.bytesHeld
            statistics.segments += held.count
            statistics.parts += held.reduce(0, +)
            guard timeline.isOffered else { continue }
            statistics.renditions.append(
                .init(
                    id: id,
                    averageBitrateBitsPerSecond: timeline.bitrate.averageBitsPerSecond,
                    peakBitrateBitsPerSecond: timeline.bitrate.peakBitsPerSecond,
                    lastMediaSequence: timeline.newest?.mediaSequence,
                    lastPart: timeline.newest?.part,
                    listedSegments: timeline.segments.count
                )
            )
        }
        return statistics
    }
}

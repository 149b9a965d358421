import Media
import NIOCore
import Packaging
import Testing

/// Reads packager outputs back and holds them against the rules every stream has to keep.
struct OutputAudit {
    struct Segment {
        let start: SegmentStart
        let timescale: UInt32
        var parts: [Part] = []
        var chunks: [ReadChunk] = []
        var isClosed = false

        var duration: MediaTime {
            parts.reduce(.zero(timescale: timescale)) { $0 + $1.duration }
        }

        var decodeTime: MediaTime {
            MediaTime(ticks: Int64(chunks.first?.decodeTime ?? 0), timescale: timescale)
        }

        var samples: [ReadChunk.Sample] { chunks.flatMap(\.samples) }
    }

    private(set) var renditions: [[Rendition]] = []
    private(set) var segments: [String: [Segment]] = [:]
    private var current: [String: Rendition] = [:]
    /// Rules that were broken, in words.
    private(set) var violations: [String] = []

    init(_ outputs: [PackagerOutput], configuration: PackagingConfiguration) {
        for output in outputs { read(output) }
        check(configuration)
    }

    subscript(id: String) -> [Segment] { segments[id] ?? [] }

    private mutating func read(_ output: PackagerOutput) {
        switch output {
        case .renditions(let list):
            renditions.append(list)
            for rendition in list {
                let id = rendition.id.description
                if let known = current[id], known.partTarget != rendition.partTarget {
                    violations.append("\(id): PART-TARGET changed")
                }
                current[id] = rendition
            }
        case .expect: break
        case .openSegment(let id, let start):
            let id = id.description
            if let open = segments[id]?.last, !open.isClosed {
                violations.append("\(id): a segment opened in an open one")
            }
            let timescale = current[id]?.track.audio.map { UInt32($0.sampleRate) } ?? 90_000
            segments[id, default: []].append(Segment(start: start, timescale: timescale))
        case .part(let id, let part):
            readPart(id.description, part)
        case .closeSegment(let id):
            let id = id.description
            let last = (segments[id]?.count ?? 0) - 1
            guard last >= 0, segments[id]?[last].isClosed == false,
                segments[id]?[last].parts.isEmpty == false
            else {
                violations.append("\(id): closed what is not open or has no part")
                return
            }
            segments[id]?[last].isClosed = true
        }
    }

    private mutating func readPart(_ id: String, _ part: Part) {
        let last = (segments[id]?.count ?? 0) - 1
        guard last >= 0, segments[id]?[last].isClosed == false, let rendition = current[id] else {
            violations.append("\(id): a part outside of a segment")
            return
        }
        guard let chunk = ReadChunk(part, header: rendition.initialization) else {
            violations.append("\(id): a chunk that cannot be read")
            return
        }
        if Int64(chunk.duration) != part.duration.ticks {
            violations.append("\(id): a part is \(chunk.duration), says \(part.duration)")
        }
        if part.isIndependent != (chunk.samples.first?.flags == 0x0200_0000) {
            violations.append("\(id): INDEPENDENT is not true")
        }
        segments[id]?[last].parts.append(part)
        segments[id]?[last].chunks.append(chunk)
    }

    private mutating func check(_ configuration: PackagingConfiguration) {
        for (id, segments) in segments {
            guard let target = current[id]?.partTarget else { continue }
            for (previous, segment) in zip(segments, segments.dropFirst()) {
                if segment.start.mediaSequence <= previous.start.mediaSequence {
                    violations.append("\(id): media sequence does not grow")
                }
                if !segment.start.isDiscontinuity,
                    segment.decodeTime < previous.decodeTime + previous.duration
                {
                    violations.append("\(id): segments overlap at \(segment.decodeTime)")
                }
                // Sound has a frame in each segment, however short the picture's was.
                let earlier = MediaTime(mpegTicks: -9_000)
                if segment.start.programDateTime
                    < previous.start.programDateTime.advanced(by: earlier)
                {
                    violations.append("\(id): the date steps back")
                }
            }
            for segment in segments {
                check(segment, of: id, target: target, configuration)
            }
        }
    }

    private mutating func check(
        _ segment: Segment,
        of id: String,
        target: MediaTime,
        _ configuration: PackagingConfiguration
    ) {
        let name = "\(id)/\(segment.start.mediaSequence)"
        if !segment.isClosed { violations.append("\(name): never closed") }
        if Int(segment.duration.seconds.rounded()) > configuration.targetDurationSeconds {
            violations.append("\(name): \(segment.duration.seconds) s exceeds TARGETDURATION")
        }
        for part in segment.parts where part.duration > target {
            violations.append("\(name): a part of \(part.duration) exceeds \(target)")
        }
        for (chunk, next) in zip(segment.chunks, segment.chunks.dropFirst())
        where next.decodeTime < chunk.decodeTime + chunk.duration {
            violations.append("\(name): parts overlap")
        }
    }

    /// Rule 2: every part but a segment's last is at least 85 % of PART-TARGET.
    var shortParts: Int {
        var count = 0
        for (id, segments) in segments {
            guard let target = current[id]?.partTarget else { continue }
            for part in segments.flatMap({ $0.parts.dropLast() })
            where part.duration.seconds < target.seconds * 0.85 - 1e-9 {
                count += 1
            }
        }
        return count
    }

    /// Instants where a rendition's decode time does not go on from the part before, without a
    /// discontinuity.
    var holes: Int {
        segments.values.reduce(0) { count, segments in
            var end: UInt64?
            var holes = 0
            for segment in segments {
                if segment.start.isDiscontinuity { end = nil }
                for chunk in segment.chunks {
                    if let end, end != chunk.decodeTime { holes += 1 }
                    end = chunk.decodeTime + chunk.duration
                }
            }
            return count + holes
        }
    }

    /// How far apart sound ends and begins where timelines meet, in seconds, for a player that lays
    /// them end to end by the picture's decode times; negative where they overlap.
    var soundHoles: [Double] {
        var holes: [Double] = []
        var playlistTime = 0.0
        var origin = 0.0
        var end: Double?
        for (picture, sound) in zip(self["video"], self["audio1"]) {
            let start = sound.decodeTime.seconds
            let startsTimeline = end == nil || picture.start.isDiscontinuity
            let before = end.map { $0 - origin }
            if startsTimeline { origin = picture.decodeTime.seconds - playlistTime }
            if let before, startsTimeline { holes.append(start - origin - before) }
            end = (sound.decodeTime + sound.duration).seconds
            playlistTime += picture.duration.seconds
        }
        return holes
    }

    /// Every rendition has the same segments, and their `tfdt` are within half a frame of each other.
    func expectAlignment(
        of id: String,
        with leader: String = "video",
        within tolerance: MediaTime,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let first = self[leader]
        let other = self[id]
        #expect(
            first.map(\.start.mediaSequence) == other.map(\.start.mediaSequence),
            sourceLocation: sourceLocation
        )
        #expect(
            first.map(\.start.isDiscontinuity) == other.map(\.start.isDiscontinuity),
            sourceLocation: sourceLocation
        )
        for (one, two) in zip(first, other) {
            let apart = two.decodeTime - one.decodeTime
            #expect(abs(apart.seconds) <= tolerance.seconds, sourceLocation: sourceLocation)
            let dates =
                two.start.programDateTime.microsecondsSinceEpoch
                - one.start.programDateTime.microsecondsSinceEpoch
            // Dates follow decode times, as players do that lay sound beside the picture.
            let difference = Double(dates) / 1e6 - apart.seconds
            // Times of one timescale are rounded to ticks of the other: 21 µs at 48 kHz.
            #expect(abs(difference) < 2.2e-5, sourceLocation: sourceLocation)
        }
    }
}

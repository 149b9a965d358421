import Media
import NIOCore

/// Tells what one rendition of sound publishes, for those that encode it again.
///
/// A segment is told of with the first frame that comes after it, so of a timeline that was abandoned
/// before it had a frame nobody hears.
struct SoundTap: Sendable {
    var isOpen = false
    private var events: [SoundEvent] = []
    private var boundaries: [SegmentBoundary] = []
    private var isRunning = false

    mutating func follow(_ boundary: SegmentBoundary) {
        if isOpen { boundaries.append(boundary) }
    }

    mutating func tell(_ payload: ByteBuffer, at time: MediaTime, of format: AudioFormat) {
        guard isOpen else { return }
        if !isRunning { events.append(.begin(format)) }
        isRunning = true
        events += boundaries.map { .boundary($0) }
        boundaries.removeAll()
        events.append(.frame(PlacedSound(time: time, payload: payload)))
    }

    mutating func end(at time: MediaTime) {
        if isRunning { events.append(.end(time)) }
        isRunning = false
        boundaries.removeAll()
    }

    mutating func abandon() {
        boundaries.removeAll()
    }

    /// What has come since the last call.
    mutating func take() -> [SoundEvent] {
        defer { events.removeAll() }
        return events
    }
}

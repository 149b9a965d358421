import Media
import NIOCore

/// The packets of one RTP stream of linear PCM, in order, to units of one length.
///
/// Times:  a unit's follows from the timestamp of the packet that completes it, so that timestamps that are
///         rounded are followed without a break in the sound.
/// Loss:   what lost packets held is silence, so that the rest keeps its place; behind a longer hole, or a
///         jump of the timestamps, a new unit begins.
/// Bound:  a unit, the longest silence and a packet.
///
/// Source: RFC 3551, 4.5.11; RFC 3190, 4.
struct RTPLinearPCMStream: Sendable {
    private static let longestSilence = 4 * LinearPCM.unitSamples

    private let source: LinearPCM
    /// Those of the next unit.
    private var samples: [UInt8] = []
    /// Of the sample after those.
    private var nextTimestamp: UInt32?
    private var hasLost = false

    private(set) var statistics = RTPElementaryStream.Statistics()

    /// - Returns: `nil` for any other format.
    init?(_ format: RTPPayloadFormat) {
        guard case .linearPCM(let bits) = format.encoding else { return nil }
        let channels = format.channels ?? 1
        guard
            let source = LinearPCM(bits: bits, sampleRate: format.clockRate, channels: channels)
        else { return nil }
        self.source = source
    }

    mutating func lose() {
        hasLost = true
    }

    mutating func receive(
        _ packet: RTPPacket,
        _ payload: Span<UInt8>,
        emit: (RTPUnit) -> Void
    ) {
        let (count, rest) = payload.count.quotientAndRemainder(dividingBy: source.instantBytes)
        guard rest == 0 else {
            statistics.damagedUnits &+= 1
            hasLost = true
            return
        }
        bridge(to: packet.timestamp)
        payload.withUnsafeBufferPointer { samples.append(contentsOf: $0) }
        let end = packet.timestamp &+ UInt32(truncatingIfNeeded: count)
        nextTimestamp = end
        let held = samples.count / source.instantBytes
        deliver(from: end &- UInt32(truncatingIfNeeded: held), emit)
    }

    /// Makes good for what is missing before a packet, or gives up what it does not complete.
    private mutating func bridge(to timestamp: UInt32) {
        defer { hasLost = false }
        guard let nextTimestamp else { return }
        let jump = Int(Int32(bitPattern: timestamp &- nextTimestamp))
        if hasLost, (1...Self.longestSilence).contains(jump) {
            samples.append(contentsOf: repeatElement(0, count: jump * source.instantBytes))
        } else if abs(jump) > source.sampleRate / 100, !samples.isEmpty {
            samples.removeAll(keepingCapacity: true)
            statistics.damagedUnits &+= 1
        }
    }

    private mutating func deliver(from timestamp: UInt32, _ emit: (RTPUnit) -> Void) {
        var timestamp = timestamp
        var used = 0
        while samples.count - used >= source.unitBytes {
            let isFirst = statistics.units == 0
            statistics.units &+= 1
            emit(
                RTPUnit(
                    timestamp: timestamp,
                    payload: ByteBuffer(bytes: samples[used..<used + source.unitBytes]),
                    randomAccess: .closed,
                    isDisposable: false,
                    newFormat: isFirst ? .audio(source.format) : nil,
                    samples: LinearPCM.unitSamples
                )
            )
            used += source.unitBytes
            timestamp &+= UInt32(LinearPCM.unitSamples)
        }
        samples.removeFirst(used)
    }
}

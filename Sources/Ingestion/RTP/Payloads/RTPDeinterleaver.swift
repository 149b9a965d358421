import DequeModule
import Media

/// Brings units that were sent out of their decoding order back into it.
///
/// Each unit has a decoding order number of 16 bits, which is unwrapped from that of the unit before it
/// in order of transmission. A unit leaves once none can come any more that goes before it: when as many
/// units wait as the sender's depth allows and one more, or when a number has come that is further
/// ahead of it than the sender allows.
///
/// In:     fragments, those of a unit one after another; `lose` where packets are missing.
/// Out:    whole units by `next`, their numbers never descending.
/// Damage: a number that is missing is a unit that was lost, if packets were lost lately: senders may
///         leave numbers out. A unit that comes after its place is dropped, unless many do: then the
///         sender has begun to count anew.
/// Bound:  `unitLimit` units and `RTPInterleaving.byteLimit` bytes wait, whatever their numbers.
///
/// Source: RFC 6184, 5.5 (numbers), 7.2.2 (which units leave); RFC 7798, 6 (the same for HEVC).
struct RTPDeinterleaver: Sendable {
    struct Unit: Sendable {
        fileprivate var order: Int64
        fileprivate var isCounted = true
        let timestamp: UInt32
        let canBeginPicture: Bool
        fileprivate(set) var bytes: [UInt8] = []
        /// The last of a packet with the marker.
        fileprivate(set) var isMarked = false
        /// Another was lost before it.
        fileprivate(set) var followsLoss = false
    }

    private static let unitLimit = 4_096
    /// For how many units after a loss a missing number is taken for a lost unit; as far as a sender may
    /// be expected to send a unit ahead.
    private static let doubtLimit = 256
    /// So many units in a row after their place are a sender that counts anew.
    private static let lateLimit = 16

    private let interleaving: RTPInterleaving
    /// By their order; of the same, by their coming.
    private var waiting: Deque<Unit> = []
    private var waitingBytes = 0
    /// How many of those that wait count for the depth.
    private var countedUnits = 0
    /// The unit of which fragments are to come.
    private var open: Unit?
    private var lastReceived: (number: UInt16, order: Int64)?
    private var lastLeft: Int64?
    private var lateUnits = 0
    /// A stream that is joined lacks what was sent before.
    private var unitsInDoubt = doubtLimit

    init(_ interleaving: RTPInterleaving) {
        self.interleaving = interleaving
    }

    /// Takes a fragment.
    ///
    /// - Parameters:
    ///   - fragment: With the number of its unit, if it is the first; a unit without, which no
    ///     interleaved mode allows, goes with the one before.
    ///   - payload: What the fragment lies in.
    ///   - timestamp: Of its unit.
    ///   - isMarked: It is the last of a packet with the marker.
    mutating func receive(
        _ fragment: RTPFragment,
        of payload: Span<UInt8>,
        timestamp: UInt32,
        isMarked: Bool
    ) {
        if fragment.isFirst {
            if open != nil { lose() }
            open = Unit(
                order: unwrap(fragment.decodingOrder),
                timestamp: timestamp,
                canBeginPicture: fragment.canBeginPicture
            )
        }
        // Without its head, a unit is missing as a whole.
        guard let count = open?.bytes.count,
            count + fragment.bytes.count + 2 <= RTPInterleaving.byteLimit
        else { return lose() }
        if fragment.headerCount == 2 { open?.bytes.append(UInt8(fragment.header >> 8)) }
        if fragment.headerCount > 0 {
            open?.bytes.append(UInt8(truncatingIfNeeded: fragment.header))
        }
        payload.extracting(fragment.bytes).withUnsafeBufferPointer {
            open?.bytes.append(contentsOf: $0)
        }
        guard fragment.isLast, var unit = open else { return }
        open = nil
        unit.isMarked = isMarked
        unit.isCounted = !interleaving.countsSlices || Self.isSlice(unit.bytes)
        insert(unit)
    }

    /// Packets are missing before the next.
    mutating func lose() {
        open = nil
        unitsInDoubt = Self.doubtLimit
    }

    /// Takes the next unit in decoding order.
    ///
    /// - Parameter isEnded: No packet comes any more.
    /// - Returns: `nil` while one may still come that goes before it.
    mutating func next(isEnded: Bool) -> Unit? {
        guard isEnded || isFirstDue, var unit = waiting.popFirst() else { return nil }
        waitingBytes -= unit.bytes.count
        countedUnits -= unit.isCounted ? 1 : 0
        let isGap = lastLeft.map { unit.order > $0 + 1 } ?? false
        unit.followsLoss = isGap && unitsInDoubt > 0
        unitsInDoubt = max(unitsInDoubt - 1, 0)
        lastLeft = unit.order
        return unit
    }

    private var isFirstDue: Bool {
        guard let first = waiting.first, let last = waiting.last else { return false }
        if let depth = interleaving.depth, countedUnits > depth { return true }
        if let largest = interleaving.largestDifference, last.order - first.order > largest {
            return true
        }
        return waiting.count > Self.unitLimit || waitingBytes > RTPInterleaving.byteLimit
    }

    /// The number as one that does not wrap: the nearest to that of the unit that came before.
    private mutating func unwrap(_ number: UInt16?) -> Int64 {
        let last = lastReceived ?? (number ?? 0, 0)
        let number = number ?? last.number
        let order = last.order + Int64(Int16(bitPattern: number &- last.number))
        lastReceived = (number, order)
        return order
    }

    private mutating func insert(_ unit: Unit) {
        var unit = unit
        if let lastLeft, unit.order < lastLeft {
            lateUnits += 1
            guard lateUnits == Self.lateLimit else { return }
            unit.order = max(lastLeft, waiting.last?.order ?? lastLeft) + 1
            lastReceived?.order = unit.order
        }
        lateUnits = 0
        waitingBytes += unit.bytes.count
        countedUnits += unit.isCounted ? 1 : 0
        waiting.insert(unit, at: waiting.partitionIndex { $0.order > unit.order })
    }

    /// Whether a unit of H.264 is one of those that a picture is coded in.
    ///
    /// Source: ITU-T H.264, Table 7-1 (types 1 to 5).
    private static func isSlice(_ bytes: [UInt8]) -> Bool {
        bytes.first.map { (1...5).contains($0 & 0x1F) } ?? false
    }
}

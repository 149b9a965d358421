/// Where the bytes of a packet belong in a frame of JPEG XS.
struct JPEGXSPlace: Sendable, Hashable, Comparable {
    /// The frame counter, modulo 32; of no meaning for the order within a frame.
    var frame = 0
    /// 1 in the second field of an interlaced frame, else 0.
    var field: Int
    /// 0 for the head of the picture segment, then the slices from 1.
    var unit: Int
    /// Counted within its unit.
    var packet: Int

    static func < (left: JPEGXSPlace, right: JPEGXSPlace) -> Bool {
        (left.field, left.unit, left.packet, left.frame)
            < (right.field, right.unit, right.packet, right.frame)
    }
}

/// Puts the packets of JPEG XS in order where a sender transmits them in any.
///
/// A frame is complete once the head and all slices of each field are: the marker is on the end of the
/// last slice. Where no marker tells, a frame has what came of it when it is given up, if no packet was
/// lost meanwhile.
///
/// In:     packets of the slice mode, each once; `lose` where some are missing.
/// Out:    frames by ascending timestamp, one after another as the frame counter has them. For one that
///         lacks packets later ones wait, until it is given up: at once where packets were lost, else when
///         the bounds are reached.
/// Bound:  `frameLimit` frames and `byteLimit` bytes are held.
///
/// Source: RFC 9134, 4.2 (marker) and 4.3 (T, K, L, F, SEP and P).
struct JPEGXSFrameSorter: Sendable {
    struct Piece: Sendable {
        let place: JPEGXSPlace
        /// In `Frame.bytes`.
        let bytes: Range<Int>
        let isLast: Bool
    }

    struct Frame: Sendable {
        let timestamp: UInt32
        fileprivate let number: Int
        fileprivate(set) var bytes: [UInt8] = []
        fileprivate(set) var pieces: [Piece] = []
        /// Packets are missing that may be its own.
        fileprivate var mayLack: Bool
        /// Of its fields; -1 before the first.
        private var highestUnits = (first: -1, second: -1)
        private var closedUnits = 0
        private var packetsOfClosedUnits = 0
        private var end: JPEGXSPlace?

        fileprivate init(timestamp: UInt32, number: Int, mayLack: Bool) {
            self.timestamp = timestamp
            self.number = number
            self.mayLack = mayLack
        }

        fileprivate mutating func take(
            _ place: JPEGXSPlace,
            _ payload: Span<UInt8>,
            isLast: Bool,
            marker: Bool
        ) {
            let start = bytes.count
            payload.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
            pieces.append(Piece(place: place, bytes: start..<bytes.count, isLast: isLast))
            if place.field == 0 {
                highestUnits.first = max(highestUnits.first, place.unit)
            } else {
                highestUnits.second = max(highestUnits.second, place.unit)
            }
            if isLast {
                closedUnits += 1
                packetsOfClosedUnits += place.packet + 1
            }
            if marker { end = place }
        }

        /// As many packets are here as the marker asks for.
        fileprivate var isComplete: Bool {
            guard let end, pieces.count == packetsOfClosedUnits,
                closedUnits == highestUnits.first + highestUnits.second + 2
            else { return false }
            // Fields are of one height, so that the first has no fewer slices than the second.
            return end.field == 0
                ? highestUnits.second < 0 && end.unit == highestUnits.first
                : end.unit == highestUnits.second && highestUnits.first >= end.unit
        }

        /// Sorts the pieces.
        ///
        /// - Returns: Whether they follow one another, from the head of the first field to the end of
        ///   a unit.
        fileprivate mutating func sort() -> Bool {
            pieces.sort { $0.place < $1.place }
            var next = JPEGXSPlace(frame: number, field: 0, unit: 0, packet: 0)
            for piece in pieces {
                if next.packet == 0, piece.place.field > next.field {
                    next.field = 1
                    next.unit = 0
                }
                guard piece.place == next else { return false }
                next.packet = piece.isLast ? 0 : next.packet + 1
                next.unit += piece.isLast ? 1 : 0
            }
            return next.packet == 0 && next.unit > 0
        }
    }

    enum Output: Sendable {
        /// Its pieces are in order.
        case frame(Frame)
        /// One that lacks packets.
        case damaged
    }

    private static let frameLimit = 4
    private static let byteLimit = 16 << 20
    /// Timestamps further apart are those of a clock that jumped: two seconds at 90 kHz.
    private static let ticksLimit: Int32 = 180_000

    /// By ascending timestamp.
    private var frames: [Frame] = []
    private var bytes = 0
    private var lastLeft: (timestamp: UInt32, number: Int)?
    /// How many frames that are to begin may lack packets that were lost already.
    private var framesInDoubt = 0
    private var damagedFrames = 0

    mutating func receive(
        _ place: JPEGXSPlace,
        _ payload: Span<UInt8>,
        of packet: RTPPacket,
        isLast: Bool
    ) {
        if let reference = frames.last?.timestamp ?? lastLeft?.timestamp,
            Self.distance(from: reference, to: packet.timestamp).magnitude > Self.ticksLimit
        {
            damagedFrames += frames.count
            frames = []
            bytes = 0
            lastLeft = nil
        }
        if let lastLeft, Self.distance(from: lastLeft.timestamp, to: packet.timestamp) <= 0 {
            return
        }
        var index = frames.count
        while index > 0, Self.distance(from: packet.timestamp, to: frames[index - 1].timestamp) >= 0
        {
            index -= 1
        }
        if index == frames.count || frames[index].timestamp != packet.timestamp {
            let frame = Frame(
                timestamp: packet.timestamp,
                number: place.frame,
                mayLack: framesInDoubt > 0
            )
            framesInDoubt = max(framesInDoubt - 1, 0)
            frames.insert(frame, at: index)
        }
        bytes += payload.count
        frames[index].take(place, payload, isLast: isLast, marker: packet.marker)
    }

    /// Packets are missing before the next.
    mutating func lose() {
        for index in frames.indices { frames[index].mayLack = true }
        framesInDoubt = Self.frameLimit
    }

    /// Takes the next frame.
    ///
    /// - Parameter isEnded: No packet comes any more.
    /// - Returns: `nil` while the next may still become complete.
    mutating func next(isEnded: Bool) -> Output? {
        if damagedFrames > 0 {
            damagedFrames -= 1
            return .damaged
        }
        guard let first = frames.first else { return nil }
        let isOverdue =
            isEnded || frames.count > Self.frameLimit || bytes > Self.byteLimit
            || first.mayLack && frames.dropFirst().contains(where: \.isComplete)
        guard isOverdue || first.isComplete && isNext(first) else { return nil }
        var frame = frames.removeFirst()
        bytes -= frame.bytes.count
        lastLeft = (frame.timestamp, frame.number)
        let isWhole = (frame.isComplete || !frame.mayLack) && frame.sort()
        return isWhole ? .frame(frame) : .damaged
    }

    /// Whether no frame can still begin before this one; a counter that stands still tells nothing.
    private func isNext(_ frame: Frame) -> Bool {
        guard let lastLeft, !frame.mayLack else { return true }
        return [lastLeft.number, (lastLeft.number + 1) % 32].contains(frame.number)
    }

    private static func distance(from earlier: UInt32, to later: UInt32) -> Int32 {
        Int32(bitPattern: later &- earlier)
    }
}

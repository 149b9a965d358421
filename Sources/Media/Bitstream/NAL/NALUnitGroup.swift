import NIOCore

/// NAL units that belong to one access unit: places in the bytes being parsed, nothing copied yet.
struct NALUnitGroup {
    /// What goes into the payload.
    private(set) var ranges: [Range<Int>] = []
    /// Parameter sets that differ from those announced.
    ///
    /// At a keyframe they become the new decoder configuration; anywhere else the payload is the
    /// only way for a decoder to learn of them.
    private(set) var changedParameterSets: [Range<Int>] = []
    /// An AUD, SEI or parameter set was met: the next slice begins an access unit.
    var beginsAccessUnit = false
    var hasSequenceParameterSet = false
    var hasRecoveryPoint = false

    mutating func append(_ range: Range<Int>) {
        ranges.append(range)
    }

    mutating func appendChangedParameterSet(_ range: Range<Int>) {
        changedParameterSets.append(range)
    }

    mutating func append(_ other: NALUnitGroup) {
        ranges.append(contentsOf: other.ranges)
        changedParameterSets.append(contentsOf: other.changedParameterSets)
        hasSequenceParameterSet = hasSequenceParameterSet || other.hasSequenceParameterSet
        hasRecoveryPoint = hasRecoveryPoint || other.hasRecoveryPoint
    }

    /// Empties the group and keeps its storage.
    mutating func clear() {
        ranges.removeAll(keepingCapacity: true)
        changedParameterSets.removeAll(keepingCapacity: true)
        beginsAccessUnit = false
        hasSequenceParameterSet = false
        hasRecoveryPoint = false
    }

    /// The units behind 4-byte lengths, copied once into one allocation.
    ///
    /// Source: ISO/IEC 14496-15, 5.3.3.1 (`lengthSizeMinusOne` 3).
    func payload(of bytes: Span<UInt8>, includingParameterSets: Bool) -> ByteBuffer {
        let sets = includingParameterSets ? changedParameterSets : []
        let size = Self.payloadSize(of: sets) + Self.payloadSize(of: ranges)
        var payload = ByteBuffer(exactCapacity: size)
        for range in sets { payload.writeUnit(bytes.extracting(range)) }
        for range in ranges { payload.writeUnit(bytes.extracting(range)) }
        return payload
    }

    private static func payloadSize(of ranges: [Range<Int>]) -> Int {
        ranges.reduce(0) { $0 + 4 + $1.count }
    }
}

extension ByteBuffer {
    fileprivate mutating func writeUnit(_ unit: Span<UInt8>) {
        writeInteger(UInt32(truncatingIfNeeded: unit.count))
        writeBytes(unit.bytes)
    }
}

/// NAL units in the packets of H.264's interleaved mode, in any order of transmission.
///
/// Source: RFC 6184, 5.5, 5.7.1 (STAP-B), 5.7.2 (MTAP16, MTAP24), 5.8 (FU-B).
package struct InterleavedH264 {
    package struct Unit {
        /// Its decoding order number.
        package var number: UInt16
        package var timestamp: UInt32
        package var bytes: [UInt8]
        package var endsPicture: Bool

        package init(number: UInt16, timestamp: UInt32, bytes: [UInt8], endsPicture: Bool) {
            self.number = number
            self.timestamp = timestamp
            self.bytes = bytes
            self.endsPicture = endsPicture
        }

        var isSlice: Bool { (1...5).contains(bytes[0] & 0x1F) }
    }

    /// One packet's, without its header.
    package struct Payload {
        package var bytes: [UInt8]
        package var timestamp: UInt32
        package var marker: Bool
        /// The places of its units in decoding order.
        package var units: [Int]

        package init(bytes: [UInt8], timestamp: UInt32, marker: Bool, units: [Int]) {
            self.bytes = bytes
            self.timestamp = timestamp
            self.marker = marker
            self.units = units
        }
    }

    /// Larger units are fragmented.
    private static let sizeLimit = 600

    /// In decoding order.
    private let units: [Unit]
    /// Places in `units`, in order of transmission.
    private let order: [Int]

    /// Units whose order of transmission is shuffled within blocks of `block`.
    package init(_ units: [Unit], block: Int, using random: inout SeededRandom) {
        self.units = units
        var order = Array(units.indices)
        for start in stride(from: 0, to: order.count, by: block) {
            order[start..<min(start + block, order.count)].shuffle(using: &random)
        }
        self.order = order
    }

    /// `sprop-interleaving-depth`: the most slices that come before a unit and are decoded after it.
    package var depth: Int {
        order.indices.map { place in
            order[..<place].count { $0 > order[place] && units[$0].isSlice }
        }.max() ?? 0
    }

    /// `sprop-max-don-diff`: the most that a number is ahead of one that comes after it.
    package var largestDifference: Int {
        var highest = 0
        return order.reduce(0) { largest, unit in
            highest = max(highest, unit)
            return max(largest, highest - unit)
        }
    }

    /// Fragments of what is large; of the rest, a random number to a packet of a random type that can
    /// carry them.
    package func payloads(using random: inout SeededRandom) -> [Payload] {
        var payloads: [Payload] = []
        var position = 0
        while position < order.count {
            if units[order[position]].bytes.count > Self.sizeLimit {
                payloads += fragments(of: order[position])
                position += 1
                continue
            }
            let wanted = Int.random(in: 1...4, using: &random)
            let group = order[position...].prefix(wanted).prefix {
                units[$0].bytes.count <= Self.sizeLimit
            }
            let taken = canAggregate(Array(group)) ? Array(group) : [order[position]]
            payloads.append(aggregate(taken, using: &random))
            position += taken.count
        }
        return payloads
    }

    /// Differences of numbers have 8 bits.
    private func canAggregate(_ group: [Int]) -> Bool {
        (group.max() ?? 0) - (group.min() ?? 0) < 256
    }

    private func aggregate(_ group: [Int], using random: inout SeededRandom) -> Payload {
        let first = group[0]
        let isRun = group.indices.allSatisfy {
            group[$0] == first + $0 && units[group[$0]].timestamp == units[first].timestamp
        }
        let earliest = group.min() ?? first
        // Pictures are shown in the order of their decoding, so the first is the earliest.
        let timestamp = units[earliest].timestamp
        let nri = group.map { units[$0].bytes[0] & 0x60 }.max() ?? 0
        var bytes: [UInt8]
        if isRun, Bool.random(using: &random) {
            bytes = [nri | 25] + Self.bigEndian(units[first].number)
            for index in group {
                bytes += Self.bigEndian(UInt16(units[index].bytes.count)) + units[index].bytes
            }
        } else {
            let largestOffset = group.map { units[$0].timestamp &- timestamp }.max() ?? 0
            let isLong = largestOffset > UInt16.max || Bool.random(using: &random)
            bytes = [nri | (isLong ? 27 : 26)] + Self.bigEndian(units[earliest].number)
            for index in group {
                let offset = units[index].timestamp &- timestamp
                bytes += Self.bigEndian(UInt16(units[index].bytes.count))
                bytes.append(UInt8(index - earliest))
                if isLong { bytes.append(UInt8(offset >> 16)) }
                bytes += Self.bigEndian(UInt16(truncatingIfNeeded: offset)) + units[index].bytes
            }
        }
        let marker = group.last.map { units[$0].endsPicture } ?? false
        return Payload(bytes: bytes, timestamp: timestamp, marker: marker, units: group)
    }

    private func fragments(of index: Int) -> [Payload] {
        let unit = units[index]
        let rest = unit.bytes.dropFirst()
        return stride(from: rest.startIndex, to: rest.endIndex, by: Self.sizeLimit).map { start in
            let end = min(start + Self.sizeLimit, rest.endIndex)
            let isFirst = start == rest.startIndex
            let flags: UInt8 = (isFirst ? 0x80 : 0) | (end == rest.endIndex ? 0x40 : 0)
            var bytes = [unit.bytes[0] & 0xE0 | (isFirst ? 29 : 28), flags | unit.bytes[0] & 0x1F]
            if isFirst { bytes += Self.bigEndian(unit.number) }
            return Payload(
                bytes: bytes + rest[start..<end],
                timestamp: unit.timestamp,
                marker: unit.endsPicture && end == rest.endIndex,
                units: [index]
            )
        }
    }

    private static func bigEndian(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
    }
}

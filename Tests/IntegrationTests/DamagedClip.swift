import TestSupport

/// A transport stream with damage of every kind, from a seed.
enum DamagedClip {
    /// One packet in so many is damaged, and the clip is repeated until there are enough of them.
    static func make(
        _ clip: [UInt8],
        mutations: Int,
        oneIn interval: Int = 2,
        seed: UInt64
    ) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(mutations * interval * 190)
        var position = 0
        for _ in 0..<mutations {
            for turn in 1...interval {
                if position + 188 > clip.count { position = 0 }
                let packet = clip[position..<position + 188]
                position += 188
                if turn == interval {
                    bytes += mutated(Array(packet), &random)
                } else {
                    bytes += packet
                }
            }
        }
        return bytes
    }

    private static func mutated(_ packet: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var packet = packet
        let index = Int.random(in: 0..<188, using: &random)
        // Mostly what leaves packets whole: damage must get as far as the parsers of pictures.
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<70: packet[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 70..<94:
            // What begins in the packet: an adaptation field, a PES packet, an access unit.
            packet[4 + index % 40] = UInt8.random(in: 0...255, using: &random)
        case 94: packet[index % 4] = UInt8.random(in: 0...255, using: &random)
        case 95, 96: packet.removeSubrange(index...)
        case 97: packet.insert(contentsOf: random.bytes(1 + index % 7), at: index)
        case 98: packet = []
        default: packet += packet
        }
        return packet
    }
}

import TestSupport

/// A transport stream with damage of every kind, from a seed.
enum DamagedClip {
    /// One packet in two is damaged, and the clip is repeated until there are enough of them.
    static func make(_ clip: [UInt8], mutations: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(mutations * 2 * 190)
        var position = 0
        for _ in 0..<mutations {
            for isDamaged in [false, true] {
                if position + 188 > clip.count { position = 0 }
                let packet = clip[position..<position + 188]
                position += 188
                if isDamaged {
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
        switch Int.random(in: 0..<10, using: &random) {
        case 0...4: packet[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 5:
            // Headers: of the packet, its adaptation field, the PES packet and what begins in it.
            packet[index % 32] = UInt8.random(in: 0...255, using: &random)
        case 6: packet.removeSubrange(index...)
        case 7: packet.insert(contentsOf: random.bytes(1 + index % 7), at: index)
        case 8: packet = []
        default: packet += packet
        }
        return packet
    }
}

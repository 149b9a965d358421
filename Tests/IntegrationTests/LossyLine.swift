import TestSupport

/// A bad line from one SRT caller to a listener on this machine.
///
/// What goes wrong follows from the sequence numbers of data packets, so it goes wrong in every run:
/// of each 50 one never arrives, one arrives when it is sent again, and one claims to be encrypted
/// with a key that was never agreed.
///
/// Source: draft-sharabayko-srt-01, 3.1 (data packets: sequence number, KK and R).
enum LossyLine {
    static func make(to listener: Int) throws -> DatagramLine {
        try DatagramLine(to: listener) { direction, packet in
            direction == .toServer ? spoil(packet) : packet
        }
    }

    /// - Returns: `nil` for a packet that does not arrive.
    private static func spoil(_ packet: [UInt8]) -> [UInt8]? {
        let isData = packet.count >= 16 && packet[0] & 0x80 == 0
        guard isData else { return packet }
        let sequence = packet[..<4].reduce(0) { $0 << 8 | Int($1) }
        let isSentAgain = packet[4] & 0x04 != 0
        switch sequence % 50 {
        case 10: return nil
        case 20 where !isSentAgain: return nil
        case 30:
            var packet = packet
            // The even key becomes the odd one.
            packet[4] ^= 0x18
            return packet
        default: return packet
        }
    }
}

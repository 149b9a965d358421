/// Frames of JPEG XS in the packets of the slice mode, transmitted in order or in any order.
///
/// Source: RFC 9134, 4.2 and 4.3.
package struct ScatteredJPEGXS {
    /// One packet's, without its header.
    package struct Payload {
        package var bytes: [UInt8]
        package var timestamp: UInt32
        package var marker: Bool
        package var frame: Int
    }

    /// SOC, CAP, PIH (1920×540, three components) and CDT (10 bit 4:2:2).
    private static let head: [UInt8] =
        [0xFF, 0x10, 0xFF, 0x50, 0x00, 0x04, 0x00, 0x00, 0xFF, 0x12, 0x00, 0x1A]
        + [0x00, 0x01, 0x00, 0x00, 0x35, 0x40, 0x10, 0x80, 0x07, 0x80, 0x02, 0x1C]
        + [0x00, 0x00, 0x00, 0x10, 0x03, 0x04, 0x08, 0x14, 0x55, 0x00, 0x00, 0x00]
        + [0xFF, 0x13, 0x00, 0x08, 0x0A, 0x11, 0x0A, 0x21, 0x0A, 0x21]
    private static let sizeLimit = 200

    /// What each frame is, its fields one behind the other.
    package private(set) var frames: [[UInt8]] = []
    /// In their natural order, with T = 0.
    package private(set) var payloads: [Payload] = []

    package init(frames count: Int, isInterlaced: Bool, using random: inout SeededRandom) {
        for frame in 0..<count {
            var bytes: [UInt8] = []
            let slices = Int.random(in: 1...6, using: &random)
            for field in 0..<(isInterlaced ? 2 : 1) {
                var units = [Self.head]
                for _ in 0..<slices {
                    let size = Int.random(in: 1...700, using: &random)
                    units.append([0xFF, 0x20, 0x00, 0x04, 0x00, 0x00] + random.bytes(size))
                }
                for (unit, content) in units.enumerated() {
                    bytes += content
                    add(
                        content,
                        unit: unit,
                        interlacing: isInterlaced ? 2 + field : 0,
                        frame: frame
                    )
                }
            }
            frames.append(bytes)
            payloads[payloads.count - 1].marker = true
        }
    }

    private mutating func add(_ unit: [UInt8], unit index: Int, interlacing: Int, frame: Int) {
        // The head has the counter that no slice has.
        let separateCounter = index == 0 ? 0x7FF : (index - 1) % 0x7FF
        for (packet, start) in stride(from: 0, to: unit.count, by: Self.sizeLimit).enumerated() {
            let end = min(start + Self.sizeLimit, unit.count)
            let header =
                1 << 30 | (end == unit.count ? 1 : 0) << 29 | interlacing << 27 | (frame % 32) << 22
                | separateCounter << 11 | packet
            payloads.append(
                Payload(
                    bytes: (0..<4).map { UInt8(truncatingIfNeeded: header >> (24 - 8 * $0)) }
                        + unit[start..<end],
                    timestamp: UInt32.max - 20_000 &+ UInt32(frame) * 3_000,
                    marker: false,
                    frame: frame
                )
            )
        }
    }

    /// The packets of `frames` frames at a time in random order.
    package func scattered(across frames: Int, using random: inout SeededRandom) -> [Payload] {
        var scattered: [Payload] = []
        for first in stride(from: 0, to: self.frames.count, by: frames) {
            let group = payloads.filter { (first..<first + frames).contains($0.frame) }
            scattered += group.shuffled(using: &random)
        }
        return scattered
    }

    /// The packets in order, and saying so: T = 1.
    package var inOrder: [Payload] {
        payloads.map { payload in
            var payload = payload
            payload.bytes[0] |= 0x80
            return payload
        }
    }
}

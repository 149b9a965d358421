/// The frames of an IVF file, the form in which encoders write bare AV1.
///
/// Shape: a 32-byte header, then for each frame (AV1: temporal unit) its size in 4 bytes, its PTS
///        in 8, and its bytes; little-endian.
package struct IVFReader: Sendable {
    package struct Frame: Sendable {
        /// Ticks of the file's time base.
        package let pts: Int64
        package let bytes: [UInt8]
    }

    package struct Malformation: Error {}

    /// `AV01`, `VP90`.
    package let codec: String
    package let width: Int
    package let height: Int
    /// Ticks a second, as a ratio.
    package let rateNumerator: Int
    package let rateDenominator: Int
    package let frames: [Frame]

    package init(_ file: [UInt8]) throws {
        guard file.count >= 32, file.starts(with: "DKIF".utf8) else { throw Malformation() }
        codec = String(decoding: file[8..<12], as: UTF8.self)
        width = Int(Self.integer(file, at: 12, byteCount: 2))
        height = Int(Self.integer(file, at: 14, byteCount: 2))
        rateNumerator = Int(Self.integer(file, at: 16, byteCount: 4))
        rateDenominator = Int(Self.integer(file, at: 20, byteCount: 4))
        guard rateNumerator > 0, rateDenominator > 0 else { throw Malformation() }
        var frames: [Frame] = []
        var position = Int(Self.integer(file, at: 6, byteCount: 2))
        while position + 12 <= file.count {
            let end = position + 12 + Int(Self.integer(file, at: position, byteCount: 4))
            guard end <= file.count else { throw Malformation() }
            frames.append(
                Frame(
                    pts: Int64(
                        truncatingIfNeeded: Self.integer(file, at: position + 4, byteCount: 8)
                    ),
                    bytes: Array(file[(position + 12)..<end])
                )
            )
            position = end
        }
        self.frames = frames
    }

    /// A frame's PTS in ticks of 90 kHz.
    package func mpegTicks(of frame: Frame) -> Int64 {
        frame.pts * 90_000 * Int64(rateDenominator) / Int64(rateNumerator)
    }

    private static func integer(_ bytes: [UInt8], at offset: Int, byteCount: Int) -> UInt64 {
        (0..<byteCount).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
    }
}

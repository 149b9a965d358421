import Foundation

/// Bytes handed out at a constant rate; the connection then stays open a while, so that all arrive.
struct PacedBytes: Sendable {
    private let bytes: [UInt8]
    private let bitsPerSecond: Int
    private var position = 0
    private var hasEnded = false

    private static let chunk = 1_316 * 8

    init(_ bytes: [UInt8], bitsPerSecond: Int) {
        self.bytes = bytes
        self.bitsPerSecond = bitsPerSecond
    }

    mutating func next() -> (due: Duration, bytes: [UInt8])? {
        let due = Duration.microseconds(position * 8_000_000 / bitsPerSecond)
        guard position < bytes.count else {
            defer { hasEnded = true }
            return hasEnded ? nil : (due + .seconds(2), [UInt8](repeating: 0xFF, count: 188))
        }
        let chunk = bytes[position..<min(position + Self.chunk, bytes.count)]
        position = chunk.endIndex
        return (due, Array(chunk))
    }

    /// A clip's bytes, or the first of them.
    static func clip(_ path: String, packets: Int = .max) throws -> [UInt8] {
        let file = try Data(contentsOf: URL(filePath: path))
        return Array(file.prefix(packets == .max ? file.count : packets * 188))
    }
}

/// The parameter sets of one kind (VPS, SPS or PPS) that a stream has sent, by id.
///
/// Encoders repeat them at every keyframe; bytes that are there already are not parsed again.
/// Bound: `idLimit` sets of at most `sizeLimit` bytes.
struct ParameterSetTable<Parsed: Sendable>: Sendable {
    /// Longer ones are refused.
    ///
    /// Real sets are tens of bytes; scaling lists and HRD make hundreds.
    static var sizeLimit: Int { 4096 }

    struct Entry: Sendable {
        let bytes: [UInt8]
        let parsed: Parsed
    }

    private let idLimit: Int
    private var entries: [Int: Entry] = [:]
    /// Counts the changes: whoever saw this number has seen these contents.
    private(set) var revision = 0

    init(idLimit: Int) {
        self.idLimit = idLimit
    }

    var isEmpty: Bool { entries.isEmpty }

    subscript(id: Int) -> Entry? { entries[id] }

    /// In the order of their ids.
    func all(where isWanted: (Parsed) -> Bool) -> [Entry] {
        entries.sorted { $0.key < $1.key }.map(\.value).filter { isWanted($0.parsed) }
    }

    /// - Returns: Whether the table changed. Sets that cannot be parsed leave it as it was.
    mutating func update(
        _ unit: Span<UInt8>,
        parse: (Span<UInt8>) -> (id: Int, parsed: Parsed)?
    ) -> Bool {
        guard unit.count <= Self.sizeLimit, !contains(unit),
            let (id, parsed) = parse(unit), id < idLimit
        else { return false }
        entries[id] = Entry(bytes: [UInt8](copying: unit), parsed: parsed)
        revision += 1
        return true
    }

    private func contains(_ unit: Span<UInt8>) -> Bool {
        entries.values.contains { entry in
            guard entry.bytes.count == unit.count else { return false }
            return unit.indices.allSatisfy { unit[$0] == entry.bytes[$0] }
        }
    }
}

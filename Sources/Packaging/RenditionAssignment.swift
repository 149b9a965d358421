import Media

/// Which rendition carries which track when a publisher comes back, perhaps with other tracks.
///
/// A viewer's player holds on to a rendition's URL, so what goes on should go on under the same name:
/// the same track of the same language first, then the language, then the track, then whatever
/// rendition is free.
enum RenditionAssignment {
    /// - Parameters:
    ///   - tracks: The tracks to carry.
    ///   - known: What each rendition carries or carried last.
    /// - Returns: For each track the index of its rendition; `nil` asks for a new one.
    static func match(_ tracks: [Track], to known: [Track]) -> [Int?] {
        var result = [Int?](repeating: nil, count: tracks.count)
        var free = Set(known.indices)
        let rules: [(Track, Track) -> Bool] = [
            { $0.id == $1.id && $0.language == $1.language },
            { $0.language != nil && $0.language == $1.language },
            { $0.id == $1.id },
            { _, _ in true },
        ]
        for rule in rules {
            for index in tracks.indices where result[index] == nil {
                let match = free.sorted().first { rule(tracks[index], known[$0]) }
                guard let match else { continue }
                result[index] = match
                free.remove(match)
            }
        }
        return result
    }
}

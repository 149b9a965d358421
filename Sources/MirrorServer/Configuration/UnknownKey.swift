/// What to tell an operator about a key that Mirror does not know.
enum UnknownKey {
    /// A known key or section that ends alike (`srt.port` for `ingestion.srt.port`), or is spelled the
    /// same but for a few slips of the hand; else where to look.
    static func cure(for path: String, among known: [String]) -> String {
        for whole in known {
            let dotted = ".\(whole)."
            guard let place = dotted.firstRange(of: ".\(path).") else { continue }
            return "Did you mean \(dotted[..<place.upperBound].dropFirst().dropLast())?"
        }
        let ranked = known.map { (path: $0, distance: distance(path, $0)) }
        let nearest = ranked.min { $0.distance < $1.distance }
        if let nearest, nearest.distance <= Swift.max(2, nearest.path.count / 5) {
            return "Did you mean \(nearest.path)?"
        }
        // The few keys of a list's entry fit in a line; all of Mirror's do not.
        return known.count > 10
            ? "`mirror config example` lists every key"
            : "The keys are \(known.joined(separator: ", "))"
    }

    /// Levenshtein's: insertions, deletions and substitutions between two texts.
    static func distance(_ first: String, _ second: String) -> Int {
        // Longer than any key; keeps the work bounded whatever the text.
        let first = Array(first.utf8.prefix(128))
        let second = Array(second.utf8.prefix(128))
        var row = Array(0...second.count)
        for (index, byte) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in second.indices {
                let substitution = diagonal + (byte == second[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, min(diagonal, row[column]) + 1)
            }
        }
        return row[second.count]
    }
}

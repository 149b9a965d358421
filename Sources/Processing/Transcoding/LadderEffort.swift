/// What a ladder does without, because there is not the time for all of it.
package struct LadderEffort: Sendable, Equatable {
    /// Steps from the preset that is asked for to faster ones.
    package var fasterPresets = 0
    /// Sizes below the largest have half their pictures.
    package var halvesFrameRates = false
    /// So many of the largest sizes are not made.
    package var leftOut = 0

    package init() {}

    /// In words that complete "for now"; `nil` where nothing is missing.
    package func words(for rungs: [LadderRung]) -> String? {
        guard self != LadderEffort() else { return nil }
        var words: [String] = []
        if fasterPresets > 0, let preset = rungs.first?.preset.faster(by: fasterPresets) {
            words.append("the preset is \(preset.rawValue)")
        }
        if halvesFrameRates {
            let names = rungs.dropFirst().map(\.name)
            words.append("\(names.joined(separator: ", ")) have half the pictures")
        }
        if leftOut > 0 {
            let names = rungs.prefix(leftOut).map(\.name)
            words.append("there is no \(names.joined(separator: ", "))")
        }
        return words.joined(separator: "; ")
    }
}

extension TranscodingPreset {
    /// The one that is so many steps faster, or the fastest.
    func faster(by steps: Int) -> TranscodingPreset {
        let index = Self.allCases.firstIndex(of: self) ?? 0
        return Self.allCases[max(index - steps, 0)]
    }
}

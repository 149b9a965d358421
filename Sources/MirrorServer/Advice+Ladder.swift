import Packaging
import Processing

extension Advice {
    /// Why a stream is not encoded as it was asked for.
    static func about(_ plan: LadderPlan, _ statistics: LadderStatistics) -> [Advice] {
        var advice: [Advice] = []
        if let refusal = plan.refusal {
            let text = "The picture is only offered as it is sent: \(refusal)."
            advice.append(Advice(code: .notTranscoded, text: text))
        }
        if let shortage = plan.shortage {
            let names = plan.rungs.map(\.name).joined(separator: ", ")
            let text = "Only \(names) are made beside it: \(shortage)."
            advice.append(Advice(code: .notTranscoded, text: text))
        }
        for rung in statistics.rungs {
            guard let failure = rung.failure else { continue }
            let text = "\(rung.rung.name) cannot be encoded: \(failure)."
            advice.append(Advice(code: .notTranscoded, text: text))
        }
        let lost =
            statistics.decoding.lostPictures + statistics.rungs.reduce(0) { $0 + $1.lostPictures }
        let easing = statistics.decoding.effort.words(for: plan.rungs)
        if lost > 0 || easing != nil {
            let text = """
                \(easing.map { "For now \($0)" } ?? "\(lost) pictures were left out of the smaller sizes"): the \
                CPU has no time for all. Take a faster transcoding.preset, fewer output_formats, or more cores.
                """
            advice.append(Advice(code: .transcodingTooSlow, text: text))
        }
        return advice
    }
}

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
        for rung in statistics.rungs {
            guard let failure = rung.failure else { continue }
            let text = "\(rung.rung.name) cannot be encoded: \(failure)."
            advice.append(Advice(code: .notTranscoded, text: text))
        }
        let lost =
            statistics.decoding.lostPictures + statistics.rungs.reduce(0) { $0 + $1.lostPictures }
        if lost > 0 {
            let text = """
                \(lost) pictures were left out of the smaller sizes: the CPU has no time for them. Take a \
                faster transcoding.preset, fewer output_formats, or more cores.
                """
            advice.append(Advice(code: .transcodingTooSlow, text: text))
        }
        return advice
    }
}

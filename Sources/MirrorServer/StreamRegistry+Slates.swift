import Media
import Packaging
import Processing
import Synchronization

extension StreamRegistry {
    /// A segment of a slate has a keyframe at least this often.
    private static let longestGroup = Duration.seconds(2)

    /// Has slates made for what came on air, so that they are there when its inputs are gone.
    ///
    /// To be called about twice a second.
    package func prepareSlates() {
        let now = now()
        let (rules, entries) = state.withLock { ($0.rules, Array($0.entries.values)) }
        for entry in entries where entry.phase == .live && entry.pipeline.firstPartAt != nil {
            guard let file = rules.terms(for: entry.name).slate?.file else { continue }
            let measured = entry.pipeline.packagerStatistics.frameRate
            // The frame rate is known after a few pictures; a picture that is not packaged has none.
            let isSettled = now.duration(since: entry.phaseSince) >= Self.patience
            guard measured != nil || isSettled || entry.pipeline.live.tracks?.video == nil,
                let model = entry.slate.order(file)
            else { continue }
            makeSlate(
                SlateLibrary.Job(
                    stream: entry.name,
                    file: file,
                    model: model,
                    frameRate: measured,
                    groupDuration: min(packaging.segmentTarget, Self.longestGroup),
                    partDuration: packaging.partTarget,
                    deliver: { [slate = entry.slate] in slate.take($0, of: file) }
                )
            )
        }
    }

    /// Shows slates in the place of inputs that send nothing.
    ///
    /// To be called for every picture while it returns `true`: a slate is on air. Else a few times a
    /// second.
    package func showSlates() -> Bool {
        let now = now()
        let (rules, entries) = state.withLock { state in
            (state.rules, state.isShuttingDown ? [] : Array(state.entries.values))
        }
        var isOnAir = false
        for entry in entries where entry.phase != .ended {
            let terms = rules.terms(for: entry.name).slate?.showing
            let isOver = entry.slate.advance(to: now, terms)
            isOnAir = isOnAir || entry.slate.condition == .onAir
            if isOver { beginGrace(of: entry, at: now) }
        }
        return isOnAir
    }

    /// Whether a stream without a publisher has a slate to go on with.
    static func goesOn(_ entry: Entry, _ rules: StreamRules) -> Bool {
        guard rules.terms(for: entry.name).slate != nil else { return false }
        switch entry.slate.condition {
        case .ready, .onAir: return true
        case .missing, .over: return false
        }
    }
}

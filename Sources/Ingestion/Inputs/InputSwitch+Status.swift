package import Media

extension InputSwitch {
    /// What an input is doing; the raw value is an API field.
    package enum State: String, Sendable, CaseIterable {
        case onAir = "on_air"
        /// A keyframe is held: it can take over at once.
        case standby
        /// Media comes; no keyframe is held yet.
        case waiting
        /// Media comes, and some of it is lost all the time.
        case lossy
        /// There is a publisher, and nothing comes of it.
        case silent
        /// Nobody publishes it.
        case missing
    }

    /// What is to be known of a stream's inputs at one moment.
    package struct Status: Sendable {
        package struct Input: Sendable {
            package let name: StreamName
            package let state: State
            package let tracks: TrackList?
        }

        /// In the order of preference.
        package let inputs: [Input]
        package let onAir: StreamName?
        /// What an operator prefers; `nil`: the first.
        package let selected: StreamName?
        package let counts: [Reason: UInt64]
        package let latestChange: Change?
    }

    /// The inputs as they are, of which those claimed have a publisher; `now` is by the clock that
    /// tells arrival.
    package func status(claimed: Set<StreamName>, now: WallTime) -> Status {
        let states = inputs.indices.map { index in
            let input = inputs[index]
            return Status.Input(
                name: input.name,
                state: claimed.contains(input.name) ? state(of: index, now: now) : .missing,
                tracks: input.tracks
            )
        }
        return Status(
            inputs: states,
            onAir: onAir.map { inputs[$0].name },
            selected: selected,
            counts: counts,
            latestChange: latestChange
        )
    }

    /// An input off air that sends other media than the one on air, and what both send, in words; `nil`
    /// when all are alike.
    var difference: (input: StreamName, media: String, onAir: String)? {
        guard let current = onAir.flatMap({ inputs[$0].tracks?.words }) else { return nil }
        for input in inputs {
            if let words = input.tracks?.words, words != current {
                return (input.name, words, current)
            }
        }
        return nil
    }

    private func state(of index: Int, now: WallTime) -> State {
        let input = inputs[index]
        if index == onAir { return .onAir }
        if input.isSilent(at: now, for: configuration.silence) { return .silent }
        if input.loss.isSustained { return .lossy }
        return input.canBegin ? .standby : .waiting
    }
}

extension TrackList {
    /// What a decoder is set up for: `H.264 1920x1080 SDR, AAC 48000 Hz stereo`.
    fileprivate var words: String {
        let parts = tracks.compactMap { track -> String? in
            switch track.format {
            case .video(let video):
                "\(video.codec.rawValue) \(video.width)x\(video.height) \(video.dynamicRange.rawValue)"
            case .audio(let audio):
                "\(audio.codec.rawValue) \(audio.sampleRate) Hz \(audio.channelLayout)"
            case .data: nil
            }
        }
        return parts.joined(separator: ", ")
    }
}

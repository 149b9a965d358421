package import Ingestion
package import Media
package import Processing

/// Whether a stream is offered in other sizes too.
package enum TranscodingChoice: Sendable, Equatable {
    case off
    /// By the first ladder that is for it.
    case on
    /// By the ladder of this name.
    case named(String)

    var ladder: String? {
        if case .named(let name) = self { name } else { nil }
    }
}

/// What holds for the streams whose names match; what it leaves out, the server's defaults decide.
package struct StreamRule: Sendable, Equatable {
    package var match: StreamPattern?
    package var passphrase: Secret?
    /// Empty: every address.
    package var allowedSources: [AddressRange] = []
    package var maxBitrateBitsPerSecond: Int?
    package var onSecondPublisher: SecondPublisherPolicy?
    package var grace: Duration?
    /// A path; `noSlate`: not even what the server's default is.
    package var slate: String?
    package var transcoding: TranscodingChoice?

    /// `nil`: publishers publish to the stream's own name.
    package var inputs: StreamInputs?

    package static let noSlate = "none"

    package init() {}

    /// It holds for the stream, and for the inputs that feed it.
    fileprivate func holds(for name: StreamName) -> Bool {
        match?.matches(name) ?? false || inputs?.names.contains(name) ?? false
    }
}

/// What one stream's publisher is held to, with nothing left open.
package struct StreamTerms: Sendable, Equatable {
    /// `nil`: contributions come in clear.
    package var passphrase: Secret?
    package var allowedSources: [AddressRange]
    /// `nil`: no limit of its own; SRT's holds in any case.
    package var maxBitrateBitsPerSecond: Int?
    package var onSecondPublisher: SecondPublisherPolicy
    /// How long the stream is kept after its publisher left.
    package var grace: Duration
    /// What is shown while nothing comes of its inputs; `nil`: nothing.
    package var slate: SlateTerms?
    /// What it is offered as beside what is published.
    package var transcoding: TranscodingConfiguration

    /// An address that cannot be read is allowed only where every address is.
    package func allows(source: String) -> Bool {
        guard !allowedSources.isEmpty else { return true }
        guard let address = IPAddress(source) else { return false }
        return allowedSources.contains { $0.contains(address) }
    }
}

/// The operator's rules for streams, in the order written: the first whose pattern matches counts.
package struct StreamRules: Sendable, Equatable {
    package let maxStreams: Int

    private let rules: [StreamRule]
    private let defaults: StreamTerms
    private let slateShowing: SlateSwitch.Terms

    package init(_ configuration: ServerConfiguration) {
        maxStreams = configuration.publishing.maxStreams
        rules = configuration.streams
        defaults = StreamTerms(
            passphrase: configuration.srt.passphrase,
            allowedSources: [],
            maxBitrateBitsPerSecond: nil,
            onSecondPublisher: configuration.publishing.onSecondPublisher,
            grace: configuration.publishing.grace,
            slate: configuration.publishing.slate.file.map { file in
                SlateTerms(file: file, showing: configuration.publishing.slate.showing)
            },
            transcoding: configuration.transcoding
        )
        slateShowing = configuration.publishing.slate.showing
    }

    /// Of names that no rule has.
    package var isPassphraseRequired: Bool { defaults.passphrase != nil }

    /// Of a stream, or of an input, for which the rule of the stream it feeds holds as well.
    ///
    /// - Returns: `nil` when no rule matches, and the defaults hold.
    package func rule(for name: StreamName) -> StreamRule? {
        rules.first { $0.holds(for: name) }
    }

    /// The stream that a publisher of this name feeds: its own, or the one it is an input of.
    ///
    /// - Returns: `nil` for a stream that is fed by inputs of other names.
    package func stream(fedBy name: StreamName) -> StreamName? {
        if let rule = rules.first(where: { $0.inputs?.names.contains(name) ?? false }) {
            return rule.match.flatMap { StreamName($0.description) }
        }
        return rule(for: name)?.inputs == nil ? name : nil
    }

    /// What feeds a stream: its inputs, or its own name alone.
    package func inputs(of stream: StreamName) -> StreamInputs {
        if let rule = rule(for: stream), let inputs = rule.inputs,
            rule.match?.matches(stream) == true
        {
            return inputs
        }
        var own = StreamInputs()
        own.names = [stream]
        return own
    }

    package func terms(for name: StreamName) -> StreamTerms {
        let rule = rule(for: name)
        var transcoding = defaults.transcoding.applied(to: name, ladder: rule?.transcoding?.ladder)
        transcoding.isEnabled = rule?.transcoding.map { $0 != .off } ?? transcoding.isEnabled
        guard let rule else {
            var terms = defaults
            terms.transcoding = transcoding
            return terms
        }
        return StreamTerms(
            passphrase: rule.passphrase ?? defaults.passphrase,
            allowedSources: rule.allowedSources,
            maxBitrateBitsPerSecond: rule.maxBitrateBitsPerSecond,
            onSecondPublisher: rule.onSecondPublisher ?? defaults.onSecondPublisher,
            grace: rule.grace ?? defaults.grace,
            slate: slate(of: rule),
            transcoding: transcoding
        )
    }

    private func slate(of rule: StreamRule) -> SlateTerms? {
        guard let file = rule.slate else { return defaults.slate }
        guard file != StreamRule.noSlate else { return nil }
        return SlateTerms(file: file, showing: slateShowing)
    }

    /// Every file that some stream may show.
    package var slateFiles: [String] {
        let own = rules.compactMap(\.slate).filter { $0 != StreamRule.noSlate }
        return [defaults.slate?.file].compactMap(\.self) + own
    }
}

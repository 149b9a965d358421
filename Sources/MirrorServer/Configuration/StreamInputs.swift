import Ingestion
package import Media

/// The inputs that feed one stream in place of its own name: a rule's `inputs`.
package struct StreamInputs: Sendable, Equatable {
    /// How one stream is made of several inputs.
    package enum Mode: String, Sendable, CaseIterable {
        /// One is on air, and the others stand by.
        case failover
        /// All bring the same transport stream, or the same RTP packets, and what one lacks the others
        /// have.
        case hitless
    }

    package static let limit = 8

    package var mode = Mode.failover
    /// What publishers publish to, in the order of preference.
    package var names: [StreamName] = []
    package var silence = Duration.milliseconds(500)
    package var returnAfter = Duration.seconds(10)
    package var maxSkew = Duration.milliseconds(500)

    package init() {}

    var switching: InputSwitch.Configuration {
        InputSwitch.Configuration(names: names, silence: silence, returnAfter: returnAfter)
    }

    /// What cannot be, of the section alone.
    var mismatch: ConfigurationMismatch? {
        if !names.isEmpty, Set(names).count < names.count {
            return ConfigurationMismatch("one of names is there twice", cure: "Give each once")
        }
        return nil
    }
}

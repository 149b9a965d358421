package import Ingestion

/// What the API and the metrics say of the server as a whole.
///
/// Counts are since its start.
package struct ServerSnapshot: Codable, Sendable, Equatable {
    /// Where an encoder sends to, as the console tells it to a newcomer.
    package struct PublishAddress: Codable, Sendable, Equatable {
        /// UDP port; `nil` while SRT is off.
        package var srtPort: Int?
        /// Of names that no rule of `streams` has.
        package var isPassphraseRequired: Bool

        package init(srtPort: Int?, isPassphraseRequired: Bool) {
            self.srtPort = srtPort
            self.isPassphraseRequired = isPassphraseRequired
        }
    }

    package var version: String
    package var startedAt: Timestamp
    package var publish: PublishAddress
    /// Publishers turned away, by `PublishRefusal`; a reason that never happened may be missing.
    package var refusals: [String: UInt64]
    package var http: HTTPSnapshot

    package init(
        version: String,
        startedAt: Timestamp,
        publish: PublishAddress,
        refusals: [PublishRefusal: UInt64] = [:],
        http: HTTPSnapshot
    ) {
        self.version = version
        self.startedAt = startedAt
        self.publish = publish
        self.refusals = Dictionary(
            uniqueKeysWithValues: refusals.map { ($0.key.rawValue, $0.value) }
        )
        self.http = http
    }
}

package import Ingestion
package import Media

/// A stream that Mirror fetches from an SRT listener elsewhere.
package struct SRTCallerConfiguration: Sendable, Equatable {
    package var url: SRTURL?
    /// The name it gets here.
    package var stream: StreamName?
    /// The first wait before calling again; it doubles up to `reconnectMax`.
    package var reconnectMin = Duration.seconds(1)
    package var reconnectMax = Duration.seconds(30)

    package init() {}
}

import Hummingbird
import NIOCore

/// What all event loops of the HTTP/3 door share.
struct HTTP3Door: Sendable {
    /// Answers one request; `write` sends the answer, and returns when the last of it is handed over.
    ///
    /// Whether that reaches the socket is for the caller to tell.
    typealias Answer =
        @Sendable (
            _ request: Request,
            _ viewer: Viewer,
            _ write: (Response) async throws -> Void
        ) async throws -> Delivery

    let credentials: TLSCredentials
    let secrets: QUICSecrets
    let congestionControl: CongestionControl
    let limits: RequestLimits
    let http3: HTTP3Limits
    let statistics: DistributionStatistics
    let answer: Answer
}

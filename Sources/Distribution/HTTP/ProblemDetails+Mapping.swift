import HTTPTypes
import Hummingbird
package import Packaging

/// Every error a request can meet, and the one answer it gets.
extension ProblemDetails {
    package static let unknownStream = ProblemDetails(
        .unknownStream,
        status: .notFound,
        title: "No such stream",
        detail:
            "No stream of this name is live. Start its publisher, or see /api/v1/streams for the "
            + "streams that are."
    )

    package static let notFound = ProblemDetails(
        .notFound,
        status: .notFound,
        title: "Not found",
        detail: "Nothing is served at this path. Streams are at /live/{stream}/playlist.m3u8."
    )

    package static let shuttingDown = ProblemDetails(
        .shuttingDown,
        status: .serviceUnavailable,
        title: "Shutting down",
        detail: "This server is about to stop and finishes only what it has begun. Ask again.",
        headers: [.retryAfter: "1"]
    )

    static let uriTooLong = ProblemDetails(
        .uriTooLong,
        status: .uriTooLong,
        title: "Path too long",
        detail:
            "The path with its query is longer than this server reads. Ask for a URI of a playlist."
    )

    package static func methodNotAllowed(allowing methods: String) -> ProblemDetails {
        ProblemDetails(
            .methodNotAllowed,
            status: .methodNotAllowed,
            title: "Method not allowed",
            detail: "This resource answers \(methods) only.",
            headers: [.allow: methods]
        )
    }

    static func rangeNotSatisfiable(length: Int) -> ProblemDetails {
        ProblemDetails(
            .rangeNotSatisfiable,
            status: .rangeNotSatisfiable,
            title: "Range outside the resource",
            detail:
                "The resource has \(length) bytes and the range lies beyond them. Ask without Range.",
            headers: [.contentRange: "bytes */\(length)"]
        )
    }

    package init(_ error: SegmentStoreError) {
        switch error {
        case .unknownRendition:
            self.init(
                .unknownRendition,
                status: .notFound,
                title: "No such rendition",
                detail:
                    "The stream is live but has no rendition of this name. Load its playlist.m3u8 again."
            )
        case .unknownResource:
            self.init(
                .unknownResource,
                status: .notFound,
                title: "No such media",
                detail: "It has left the live window, or was never made. Load the playlist again."
            )
        case .badRequest(let reason):
            self.init(
                .badRequest,
                status: .badRequest,
                title: "Delivery directives not understood",
                detail: "\(reason). Ask for the playlist without a query to start afresh."
            )
        case .tooFarAhead(let reason):
            self.init(
                .tooFarAhead,
                status: .badRequest,
                title: "Too far ahead of the live edge",
                detail: "\(reason). Load the playlist without a query and go on from its end."
            )
        case .timedOut:
            self.init(
                .timedOut,
                status: .serviceUnavailable,
                title: "Nothing new in time",
                detail: "The publisher has sent nothing for a while. Ask again: it may come back.",
                headers: [.retryAfter: "1"]
            )
        case .tooManyWaiters:
            self.init(
                .tooManyWaiters,
                status: .serviceUnavailable,
                title: "Too many viewers wait",
                detail:
                    "As many requests wait for this stream as the server allows. Ask again in a second.",
                headers: [.retryAfter: "1"]
            )
        case .cancelled:
            // Nobody cancels the wait of a viewer who is still there, but a server that stops.
            self = .shuttingDown
        case .ended:
            self.init(
                .streamEnded,
                status: .notFound,
                title: "The stream is over",
                detail:
                    "What was asked for will not be made. The playlist has the end of the stream."
            )
        }
    }

    /// Errors of the router and of decoding; anything else is a fault of the server, whose words stay
    /// in the log.
    init(_ error: any Error) {
        switch error {
        case let problem as ProblemDetails: self = problem
        case let error as SegmentStoreError: self.init(error)
        case let error as HTTPError: self.init(error)
        default:
            self.init(
                .internal,
                status: .internalServerError,
                title: "Internal error",
                detail: "The server failed to answer. Give the request id to its operator."
            )
        }
    }

    private init(_ error: HTTPError) {
        let code: Code? =
            switch error.status {
            case .badRequest: .badRequest
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            case .conflict: .conflict
            case .contentTooLarge: .contentTooLarge
            default: nil
            }
        guard let code else {
            self =
                error.status == .notFound
                ? .notFound
                : ProblemDetails(
                    error.status.kind == .clientError ? .badRequest : .internal,
                    status: error.status,
                    title: error.status.reasonPhrase,
                    detail: error.body ?? error.status.reasonPhrase
                )
            return
        }
        self.init(
            code,
            status: error.status,
            title: error.status.reasonPhrase,
            detail: error.body ?? error.status.reasonPhrase,
            headers: error.headers
        )
    }
}

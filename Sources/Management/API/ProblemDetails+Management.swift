package import Distribution
import HTTPTypes
package import Ingestion
package import Media

extension ProblemDetails {
    static let badStreamName = ProblemDetails(
        .unknownStream,
        status: .notFound,
        title: "Not a stream name",
        detail:
            "Stream names are 1 to 64 letters, digits, '-' and '_', and begin with a letter or a "
            + "digit. GET /api/v1/streams lists the streams on air."
    )

    package static func nobodyPublishes(_ name: StreamName) -> ProblemDetails {
        ProblemDetails(
            .unknownStream,
            status: .notFound,
            title: "No such stream",
            detail:
                "Nobody publishes '\(name)'. GET /api/v1/streams lists the streams on air; to "
                + "publish this one, send SRT with streamid=\(name)."
        )
    }

    package static func noSuchInput(
        _ input: StreamName,
        of stream: StreamName
    ) -> ProblemDetails {
        ProblemDetails(
            .notFound,
            status: .notFound,
            title: "No such input",
            detail:
                "'\(input)' is no input of '\(stream)'. GET /api/v1/streams/\(stream) lists them under "
                + "inputs; they are configured in streams[].inputs."
        )
    }

    package static func nobodyFeeds(
        _ input: StreamName,
        of stream: StreamName
    ) -> ProblemDetails {
        ProblemDetails(
            .conflict,
            status: .conflict,
            title: "Nobody publishes this input",
            detail:
                "'\(input)' has no publisher that could go on air in '\(stream)'. Start it first: "
                + "SRT with streamid=\(input), or an RTP session of this name."
        )
    }

    static func notSelected(
        _ input: StreamName,
        of stream: StreamName,
        selected: String?
    ) -> ProblemDetails {
        ProblemDetails(
            .conflict,
            status: .conflict,
            title: "Not selected",
            detail: selected.map {
                "'\($0)' is selected in '\(stream)', not '\(input)': DELETE that."
            } ?? "No input of '\(stream)' is selected by hand: there is nothing to release."
        )
    }

    static func noDescription(_ name: StreamName) -> ProblemDetails {
        ProblemDetails(
            .notFound,
            status: .notFound,
            title: "No SDP",
            detail: "No SDP was put for '\(name)'. PUT its text to this address."
        )
    }

    static let noRTP = ProblemDetails(
        .conflict,
        status: .conflict,
        title: "RTP is off",
        detail: "This server does not listen for RTP: set ingestion.rtp.enabled."
    )

    static let tooLongDescription = ProblemDetails(
        .contentTooLarge,
        status: .contentTooLarge,
        title: "Too long for an SDP",
        detail: "At most \(SessionDescription.byteLimit) bytes are read. Send the SDP alone."
    )

    package init(_ error: SessionDescriptionError) {
        self.init(
            .badRequest,
            status: .badRequest,
            title: "Not an SDP that can be used",
            detail: "\(error)"
        )
    }

    /// An SDP whose packets could not be told from those of another stream, or that names a port or a
    /// group that cannot be had.
    package init(_ error: RTPListenerError) {
        let isConflict = error.code == .conflict
        self.init(
            .conflict,
            status: .conflict,
            title: isConflict ? "Cannot be told apart" : "A port of the SDP cannot be opened",
            detail: isConflict ? "\(error.reason); \(error.cure)" : "\(error)"
        )
    }

    /// Asking again does not help; `detail` says what would.
    package static func noThumbnail(_ detail: String) -> ProblemDetails {
        ProblemDetails(.noThumbnail, status: .notFound, title: "No thumbnail", detail: detail)
    }

    package static func noThumbnailYet(_ detail: String) -> ProblemDetails {
        ProblemDetails(
            .noThumbnail,
            status: .serviceUnavailable,
            title: "No thumbnail yet",
            detail: detail,
            headers: [.retryAfter: "1"]
        )
    }

    package static func noLadder(_ name: StreamName) -> ProblemDetails {
        ProblemDetails(
            .notFound,
            status: .notFound,
            title: "No smaller sizes",
            detail:
                "'\(name)' is not encoded again, so there is nothing to compare. GET "
                + "/api/v1/streams/\(name) says why, under transcoding and advice."
        )
    }

    /// Asking again helps; `detail` says what to look at if it does not.
    package static func noQualityYet(_ detail: String) -> ProblemDetails {
        ProblemDetails(
            .timedOut,
            status: .serviceUnavailable,
            title: "Not measured",
            detail: detail,
            headers: [.retryAfter: "5"]
        )
    }

    static let playerLibraryMissing = ProblemDetails(
        .notFound,
        status: .notFound,
        title: "The player library is not installed",
        detail:
            "hls.min.js is not in the folder server.web_assets, or is not the version this server "
            + "expects. Run scripts/fetch-web-assets and start the server again."
    )
}

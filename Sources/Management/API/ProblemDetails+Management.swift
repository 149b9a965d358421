import Distribution
import HTTPTypes
package import Ingestion
import Media

extension ProblemDetails {
    static let badStreamName = ProblemDetails(
        .unknownStream,
        status: .notFound,
        title: "Not a stream name",
        detail:
            "Stream names are 1 to 64 letters, digits, '-' and '_', and begin with a letter or a "
            + "digit. GET /api/v1/streams lists the streams on air."
    )

    static func nobodyPublishes(_ name: StreamName) -> ProblemDetails {
        ProblemDetails(
            .unknownStream,
            status: .notFound,
            title: "No such stream",
            detail:
                "Nobody publishes '\(name)'. GET /api/v1/streams lists the streams on air; to "
                + "publish this one, send SRT with streamid=\(name)."
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

    /// An SDP whose packets could not be told from those of another stream.
    package init(_ error: RTPListenerError) {
        self.init(
            .conflict,
            status: .conflict,
            title: "Cannot be told apart",
            detail: "\(error.reason); \(error.cure)"
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

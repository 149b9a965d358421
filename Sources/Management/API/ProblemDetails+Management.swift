import Distribution
import HTTPTypes
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

    static let playerLibraryMissing = ProblemDetails(
        .notFound,
        status: .notFound,
        title: "The player library is not installed",
        detail:
            "hls.min.js is not in the folder server.web_assets, or is not the version this server "
            + "expects. Run scripts/fetch-web-assets and start the server again."
    )
}

import FoundationEssentials
import HTTPTypes
import Hummingbird
import Media

/// What a management request can get wrong, answered as `application/problem+json` (RFC 9457).
enum ManagementError: Error, HTTPResponseError {
    case badStreamName
    case unknownStream(StreamName)
    case playerLibraryMissing

    var status: HTTPResponse.Status { .notFound }

    private var title: String {
        switch self {
        case .badStreamName: "Not a stream name"
        case .unknownStream: "No such stream"
        case .playerLibraryMissing: "The player library is not installed"
        }
    }

    private var detail: String {
        switch self {
        case .badStreamName:
            "Stream names are 1 to 64 letters, digits, '-' and '_', and begin with a letter or a "
                + "digit."
        case .unknownStream(let name):
            "Nobody publishes '\(name)'. GET /api/v1/streams lists the streams on air; to publish, "
                + "send SRT with streamid=\(name)."
        case .playerLibraryMissing:
            "hls.min.js is not in the web assets folder, or is not the version this server "
                + "expects. Run scripts/fetch-web-assets and start the server again."
        }
    }

    /// RFC 9457, 3.1.
    private struct ProblemDetails: Encodable {
        let type = "about:blank"
        let title: String
        let status: Int
        let detail: String
        let requestId: String
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let problem = ProblemDetails(
            title: title,
            status: status.code,
            detail: detail,
            requestId: context.id
        )
        var body = JSONBody(problem, status: status)
        body.contentType = "application/problem+json; charset=utf-8"
        return try body.response(from: request, context: context)
    }
}

import Foundation
package import HTTPTypes
package import Hummingbird
import NIOCore

/// An answer that says what went wrong and what to do next, as `application/problem+json`.
///
/// Shape: `type` (a URN that ends in the code), `title`, `status`, `detail` (what is wrong here, and the
///        next step, in words), `request_id`.
/// Source: RFC 9457.
package struct ProblemDetails: Error, HTTPResponseError, Equatable {
    /// What can go wrong, for programs: a closed set, safe as a metric label.
    package enum Code: String, Sendable, CaseIterable {
        case badRequest = "bad_request"
        case unauthorized
        case forbidden
        case notFound = "not_found"
        case unknownStream = "unknown_stream"
        case unknownRendition = "unknown_rendition"
        case unknownResource = "unknown_resource"
        case noThumbnail = "no_thumbnail"
        case streamEnded = "stream_ended"
        case methodNotAllowed = "method_not_allowed"
        case conflict
        case contentTooLarge = "content_too_large"
        case uriTooLong = "uri_too_long"
        case rangeNotSatisfiable = "range_not_satisfiable"
        case tooFarAhead = "too_far_ahead"
        case timedOut = "timed_out"
        case tooManyWaiters = "too_many_waiters"
        case shuttingDown = "shutting_down"
        case `internal`
    }

    package var code: Code
    package var status: HTTPResponse.Status
    package var title: String
    package var detail: String
    /// Of the answer, besides those every problem has.
    package var headers: HTTPFields

    package init(
        _ code: Code,
        status: HTTPResponse.Status,
        title: String,
        detail: String,
        headers: HTTPFields = [:]
    ) {
        self.code = code
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers
    }

    package func response(from request: Request, context: some RequestContext) throws -> Response {
        let requestID = (context as? MirrorRequestContext)?.requestID ?? ""
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = CachePolicy.none.headerValue
        let body = try ByteBuffer(bytes: document(requestID: requestID))
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    private struct Document: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let requestID: String

        enum CodingKeys: String, CodingKey {
            case type, title, status, detail
            case requestID = "request_id"
        }
    }

    private func document(requestID: String) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(
            Document(
                type: "urn:mirror:problem:\(code.rawValue)",
                title: title,
                status: status.code,
                detail: detail,
                requestID: requestID
            )
        )
    }
}

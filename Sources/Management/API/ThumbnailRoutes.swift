import Distribution
import HTTPTypes
import Hummingbird
import Media

extension RouterMethods where Context == MirrorRequestContext {
    /// Adds `/api/v1/streams/{stream}/thumbnail.jpg` and `thumbnail.webp`.
    ///
    /// A request waits while the picture is made, and no longer than its viewer.
    func addThumbnailRoutes(source: ManagementSource) {
        for format in Thumbnail.Format.allCases {
            let path: RouterPath = "/api/v1/streams/:stream/thumbnail.\(format.rawValue)"
            addResource(path) { request, context in
                guard let name = StreamName(context.parameters.get("stream") ?? "") else {
                    throw ProblemDetails.badStreamName
                }
                let (file, lifetime) = try await context.whileViewerWaits {
                    try await source.thumbnail(name, format)
                }
                return file.response(to: request, lifetime: lifetime)
            }
        }
    }
}

extension Thumbnail {
    fileprivate func response(to request: Request, lifetime: Duration) -> Response {
        // What a keyframe is known by, and what was made of it.
        let moment = String(takenAt.microsecondsSinceEpoch, radix: 36)
        let tag = "\"\(moment)-\(width)x\(height)\""
        let date = HTTPDate.render(second: takenAt.microsecondsSinceEpoch / 1_000_000)
        var headers: HTTPFields = [
            .eTag: tag,
            .lastModified: date,
            .cacheControl: "public, max-age=\(max(1, lifetime.components.seconds))",
        ]
        guard
            !ConditionalRequest.isNotModified(request.headers, entityTag: tag, lastModified: date)
        else {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = format.contentType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
}

extension Thumbnail.Format {
    fileprivate var contentType: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .webP: "image/webp"
        }
    }
}

import HTTPTypes
package import Hummingbird

/// Lets players on any web page load live media, and answers their preflight requests.
///
/// Only what is under `/live/` is open: the management API answers its own console only. The fields do
/// not depend on the request's `Origin`, so one cached answer serves every page.
/// Source: Fetch Standard, 3.2 (CORS protocol); Resource Timing, 4.5 (Timing-Allow-Origin).
package struct CrossOriginMiddleware: RouterMiddleware {
    package typealias Context = MirrorRequestContext

    static let openPrefix = "/live/"

    private let fields: HTTPFields
    private let preflightFields: HTTPFields

    package init() {
        var fields: HTTPFields = [
            .accessControlAllowOrigin: "*",
            .accessControlExposeHeaders: "Content-Length, Content-Range, Date, ETag, X-Request-Id",
        ]
        for (name, value) in [
            ("Timing-Allow-Origin", "*"), ("Cross-Origin-Resource-Policy", "cross-origin"),
        ] {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        self.fields = fields
        preflightFields = [
            .accessControlAllowMethods: "GET, HEAD, OPTIONS",
            .accessControlAllowHeaders:
                "Accept, Accept-Encoding, CMCD-Object, CMCD-Request, CMCD-Session, "
                + "CMCD-Status, Content-Type, If-None-Match, If-Range, Range",
            .accessControlMaxAge: "86400",
        ]
    }

    package func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path.hasPrefix(Self.openPrefix) else {
            return try await next(request, context)
        }
        if request.method == .options {
            return Response(status: .noContent, headers: fields + preflightFields)
        }
        var response = try await next(request, context)
        response.headers.append(contentsOf: fields)
        return response
    }
}

extension HTTPFields {
    fileprivate static func + (lhs: HTTPFields, rhs: HTTPFields) -> HTTPFields {
        var fields = lhs
        fields.append(contentsOf: rhs)
        return fields
    }
}

import HTTPTypes
package import Hummingbird

/// The fields every answer has: which request it answers, by which server, and how browsers are to
/// treat it.
package struct ResponseHeadersMiddleware: RouterMiddleware {
    package typealias Context = MirrorRequestContext

    private let server: String
    private let alternative: AlternativeService?
    private let requestID = HTTPField.Name("X-Request-Id")
    private let alternativeService = HTTPField.Name("Alt-Svc")

    package init(server: String = "Mirror", alternative: AlternativeService? = nil) {
        self.server = server
        self.alternative = alternative
    }

    package func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let requestID { response.headers[requestID] = context.requestID }
        response.headers[.server] = server
        response.headers[.xContentTypeOptions] = "nosniff"
        if context.isSecure, !Self.isLocal(request.head.authority) {
            response.headers[.strictTransportSecurity] = "max-age=31536000"
        }
        if context.isSecure, context.viewer?.transport != .http3,
            let value = alternative?.headerValue, let alternativeService
        {
            response.headers[alternativeService] = value
        }
        return response
    }

    /// A browser keeps the promise for every port of the host: on `localhost` it would lock a
    /// developer out of everything else that runs there.
    private static func isLocal(_ authority: String?) -> Bool {
        guard let authority else { return true }
        return authority == "localhost" || authority.hasPrefix("localhost:")
    }
}

package import Hummingbird

/// Builds the responder behind a door: every route of it, inside the same middleware.
///
/// All doors to viewers share one responder, so that HTTP/1.1, HTTP/2 and HTTP/3 give the same answers.
package enum MirrorRouter {
    package typealias Responder = RouterResponder<MirrorRequestContext>

    /// - Parameters:
    ///   - limits: Of requests.
    ///   - alternative: The HTTP/3 door, when there is one.
    ///   - configure: Adds routes. Each GET route answers HEAD too.
    /// - Returns: What a front door hands its requests to.
    package static func makeResponder(
        limits: RequestLimits = RequestLimits(),
        alternative: AlternativeService? = nil,
        _ configure: (Router<MirrorRequestContext>) -> Void
    ) -> Responder {
        let router = Router(
            context: MirrorRequestContext.self,
            options: .autoGenerateHeadEndpoints
        )
        // Outermost first: a problem document is an answer like any other.
        router.add(middleware: ResponseHeadersMiddleware(alternative: alternative))
        router.add(middleware: CrossOriginMiddleware())
        router.add(middleware: ProblemMiddleware(maxPathBytes: limits.maxPathBytes))
        configure(router)
        return router.buildResponder()
    }
}

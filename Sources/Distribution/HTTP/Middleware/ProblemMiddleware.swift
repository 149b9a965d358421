package import Hummingbird
import Logging

/// Turns whatever a handler throws into one problem document.
///
/// A viewer who has left gets no answer: the error goes on, and the connection or stream is closed.
package struct ProblemMiddleware: RouterMiddleware {
    package typealias Context = MirrorRequestContext

    private let maxPathBytes: Int

    package init(maxPathBytes: Int = RequestLimits().maxPathBytes) {
        self.maxPathBytes = maxPathBytes
    }

    package func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            guard request.uri.string.utf8.count <= maxPathBytes else {
                throw ProblemDetails.uriTooLong
            }
            return try await next(request, context)
        } catch let error as ViewerLeft {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            let problem = ProblemDetails(error)
            if problem.code == .internal {
                context.logger.error(
                    "a request failed",
                    metadata: ["path": "\(request.uri.path)", "error": "\(error)"]
                )
            }
            return try problem.response(from: request, context: context)
        }
    }
}

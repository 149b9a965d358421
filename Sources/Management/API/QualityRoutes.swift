import Distribution
import Hummingbird
import Media

extension RouterMethods where Context == MirrorRequestContext {
    /// Adds `/api/v1/streams/{stream}/transcoding/quality`.
    ///
    /// A request waits while the pictures come that are measured, and no longer than its viewer.
    func addQualityRoutes(source: ManagementSource) {
        addResource("/api/v1/streams/:stream/transcoding/quality") { _, context in
            guard let name = StreamName(context.parameters.get("stream") ?? "") else {
                throw ProblemDetails.badStreamName
            }
            return JSONBody(try await context.whileViewerWaits { try await source.quality(name) })
        }
    }
}

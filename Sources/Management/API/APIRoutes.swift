import Distribution
package import Hummingbird
import Media

extension RouterMethods {
    /// Adds `/api/v1`: what the server is, and the streams on air.
    ///
    /// Described in docs/openapi/mirror.yaml.
    package func addAPIRoutes(source: ManagementSource) {
        let api = group("/api/v1")
        api.addResource("/server") { _, _ in JSONBody(source.server()) }
        api.addResource("/streams") { _, _ in JSONBody(StreamList(streams: source.streams())) }
        api.addResource("/streams/:stream") { _, context in
            let text = context.parameters.get("stream") ?? ""
            guard let name = StreamName(text) else { throw ProblemDetails.badStreamName }
            guard let stream = source.stream(name) else {
                throw ProblemDetails.nobodyPublishes(name)
            }
            return JSONBody(stream)
        }
    }
}

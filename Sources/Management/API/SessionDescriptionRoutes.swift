import Distribution
import HTTPTypes
package import Hummingbird
import Ingestion
import Media
import NIOCore

extension RouterMethods {
    /// Adds `/api/v1/streams/{stream}/sdp`: what a stream over RTP carries, in the operator's words.
    package func addSessionDescriptionRoutes(_ descriptions: SessionDescriptions) {
        let path: RouterPath = "/api/v1/streams/:stream/sdp"
        get(path) { _, context in
            let name = try context.streamName
            guard let description = descriptions.get(name) else {
                throw ProblemDetails.noDescription(name)
            }
            return JSONBody(description)
        }
        put(path) { request, context in
            let name = try context.streamName
            let body: ByteBuffer
            do {
                body = try await request.body.collect(upTo: SessionDescription.byteLimit)
            } catch is NIOTooManyBytesError {
                throw ProblemDetails.tooLongDescription
            }
            return JSONBody(try await descriptions.put(name, String(buffer: body)))
        }
        delete(path) { _, context in
            let name = try context.streamName
            guard try await descriptions.delete(name) else {
                throw ProblemDetails.noDescription(name)
            }
            return Response(status: .noContent)
        }
        for method in [HTTPRequest.Method.post, .patch, .options, .trace] {
            on(path, method: method) { _, _ -> Response in
                throw ProblemDetails.methodNotAllowed(allowing: "GET, HEAD, PUT, DELETE")
            }
        }
    }
}

extension RequestContext {
    fileprivate var streamName: StreamName {
        get throws {
            guard let name = StreamName(parameters.get("stream") ?? "") else {
                throw ProblemDetails.badStreamName
            }
            return name
        }
    }
}

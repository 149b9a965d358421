import Distribution
import HTTPTypes
package import Hummingbird
import Media

extension RouterMethods {
    /// Adds `/api/v1/streams/{stream}/inputs/{input}/selected`: which input an operator prefers.
    package func addInputRoutes(source: ManagementSource) {
        let path: RouterPath = "/api/v1/streams/:stream/inputs/:input/selected"
        put(path) { _, context in
            let (stream, input) = try context.streamAndInput
            _ = try source.inputs(of: stream, with: input)
            try source.selectInput(stream, input)
            return JSONBody(try source.inputs(of: stream, with: input))
        }
        delete(path) { _, context in
            let (stream, input) = try context.streamAndInput
            let selected = try source.inputs(of: stream, with: input).selected
            guard selected == "\(input)" else {
                throw ProblemDetails.notSelected(input, of: stream, selected: selected)
            }
            try source.selectInput(stream, nil)
            return JSONBody(try source.inputs(of: stream, with: input))
        }
        for method in [HTTPRequest.Method.get, .head, .post, .patch, .options, .trace] {
            on(path, method: method) { _, _ -> Response in
                throw ProblemDetails.methodNotAllowed(allowing: "PUT, DELETE")
            }
        }
    }
}

extension ManagementSource {
    fileprivate func inputs(
        of name: StreamName,
        with input: StreamName
    ) throws -> InputsSnapshot {
        guard let stream = stream(name) else { throw ProblemDetails.nobodyPublishes(name) }
        guard let inputs = stream.inputs, inputs.members.contains(where: { $0.name == "\(input)" })
        else { throw ProblemDetails.noSuchInput(input, of: name) }
        return inputs
    }
}

extension RequestContext {
    fileprivate var streamAndInput: (stream: StreamName, input: StreamName) {
        get throws {
            guard let stream = StreamName(parameters.get("stream") ?? ""),
                let input = StreamName(parameters.get("input") ?? "")
            else { throw ProblemDetails.badStreamName }
            return (stream, input)
        }
    }
}

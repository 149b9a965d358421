import HTTPTypes
package import Hummingbird

extension RouterMethods {
    /// Adds something that can be read, by GET and so by HEAD; other methods are told so.
    ///
    /// Source: RFC 9110, 15.5.6 (405, and the field Allow).
    package func addResource(
        _ path: RouterPath,
        allowing methods: String = "GET, HEAD",
        answer: @escaping @Sendable (Request, Context) async throws -> some ResponseGenerator
    ) {
        get(path, use: answer)
        for method in [HTTPRequest.Method.post, .put, .patch, .delete, .options, .trace] {
            on(path, method: method) { _, _ -> Response in
                throw ProblemDetails.methodNotAllowed(allowing: methods)
            }
        }
    }
}

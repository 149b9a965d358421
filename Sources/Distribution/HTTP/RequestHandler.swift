import Hummingbird
import HummingbirdCore
import Logging

/// One request from its head to the last byte of its answer.
struct RequestHandler<Responder: HTTPResponder>: Sendable
where Responder.Context == MirrorRequestContext {
    let door: MirrorRequestContext.Door
    let responder: Responder
    let statistics: DistributionStatistics
    let logger: Logger
    let date = HTTPDate()

    /// Calls `write` once, with the answer.
    ///
    /// - Returns: What is to be counted once the answer has left.
    /// - Throws: When there is nobody to answer any more; the connection or stream is then closed.
    func handle(
        _ request: Request,
        from viewer: Viewer,
        write: (Response) async throws -> Void
    ) async throws -> Delivery {
        var logger = logger
        logger[metadataKey: MirrorRequestContext.requestIDKey] = .stringConvertible(RequestID())
        var context = MirrorRequestContext(source: .init(channel: viewer.channel, logger: logger))
        context.door = door
        context.viewer = viewer
        let route = RouteClass(path: request.uri.path)
        statistics.requestBegan()
        do {
            var response = try await responder.respond(to: request, context: context)
            response.headers[.date] = date.text()
            let (status, length) = (response.status, response.body.contentLength ?? 0)
            try await write(response)
            return Delivery(
                route: route,
                transport: viewer.transport,
                status: status,
                byteCount: length,
                publishedAt: context.release.publishedAt,
                statistics: statistics
            )
        } catch {
            statistics.requestAbandoned(route)
            throw error
        }
    }
}

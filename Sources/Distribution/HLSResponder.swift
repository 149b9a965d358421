import HTTPTypes
package import Hummingbird
import Media
import NIOCore
package import Packaging

/// Answers viewers: a path, its query and its header fields in; a playlist or media out.
///
///     GET /live/{stream}/playlist.m3u8                 the renditions of a stream
///     GET /live/{stream}/{rendition}/playlist.m3u8     its parts and segments; may wait
///     GET /live/{stream}/{rendition}/iframes.m3u8      the I-frames of a picture, for scrubbing
///     GET /live/{stream}/{rendition}/{resource}        bytes of them; a hinted part waits
///
/// Every answer comes from a `SegmentStore`, where it was rendered once for everybody; here only the
/// form is chosen: whole or a range, compressed or not, or a word that the viewer has it already.
///
/// Bound: a request waits as long as its store lets it (three target durations), and no longer than
///        its viewer does. What is queued for one viewer ahead of them taking it is one write.
package struct HLSResponder: Sendable {
    private let streams: StreamDirectory
    private let statistics: DistributionStatistics
    private let targetDurationSeconds: Int

    package init(
        streams: StreamDirectory,
        packaging: PackagingConfiguration,
        statistics: DistributionStatistics
    ) {
        self.streams = streams
        self.statistics = statistics
        targetDurationSeconds = packaging.targetDurationSeconds
    }

    package func addRoutes(to router: Router<MirrorRequestContext>) {
        // OPTIONS is answered before routing: browsers ask with it whether they may ask.
        let methods = "GET, HEAD, OPTIONS"
        let live = router.group("/live/:stream")
        live.addResource("playlist.m3u8", allowing: methods, answer: multivariantPlaylist)
        live.addResource(":rendition/playlist.m3u8", allowing: methods, answer: mediaPlaylist)
        live.addResource(":rendition/iframes.m3u8", allowing: methods, answer: iFramePlaylist)
        live.addResource(":rendition/:resource", allowing: methods, answer: resource)
    }

    private func multivariantPlaylist(
        _ request: Request,
        _ context: MirrorRequestContext
    ) async throws -> Response {
        let (_, store) = try stream(of: context)
        let playlist = try await context.whileViewerWaits { try await store.multivariantPlaylist() }
        return answer(request, with: playlist, cache: .playlist)
    }

    private func mediaPlaylist(
        _ request: Request,
        _ context: MirrorRequestContext
    ) async throws -> Response {
        let (name, store) = try stream(of: context)
        let rendition = Rendition.ID(try context.parameters.require("rendition"))
        let directives = try PlaylistRequest(
            queryItems: request.uri.queryParameters.map { (String($0.key), String($0.value)) }
        )
        if let viewer = context.viewer?.number {
            statistics.playlistRequested(of: name, by: viewer)
        }
        guard directives.isBlocking else {
            return answer(
                request,
                with: try await store.mediaPlaylist(rendition, directives),
                cache: .playlist
            )
        }
        let askedAt = ContinuousClock.now
        let playlist = try await context.whileViewerWaits {
            try await store.mediaPlaylist(rendition, directives)
        }
        if let publishedAt = playlist.publishedAt, publishedAt > askedAt {
            context.release.publishedAt = publishedAt
        }
        return answer(
            request,
            with: playlist,
            cache: .blockingPlaylist(targetDurationSeconds: targetDurationSeconds)
        )
    }

    private func iFramePlaylist(
        _ request: Request,
        _ context: MirrorRequestContext
    ) async throws -> Response {
        let (_, store) = try stream(of: context)
        let rendition = Rendition.ID(try context.parameters.require("rendition"))
        let playlist = try await context.whileViewerWaits {
            try await store.iFramePlaylist(rendition)
        }
        return answer(request, with: playlist, cache: .playlist)
    }

    private func resource(
        _ request: Request,
        _ context: MirrorRequestContext
    ) async throws -> Response {
        let (_, store) = try stream(of: context)
        let rendition = Rendition.ID(try context.parameters.require("rendition"))
        let name = try context.parameters.require("resource")
        let resource = try await context.whileViewerWaits {
            try await store.resource(rendition, named: name)
        }
        return try answer(request, with: resource)
    }

    private func answer(
        _ request: Request,
        with playlist: RenderedPlaylist,
        cache: CachePolicy
    ) -> Response {
        var headers: HTTPFields = [
            .contentType: "application/vnd.apple.mpegurl",
            .cacheControl: cache.headerValue,
            .vary: "Accept-Encoding",
        ]
        var body = playlist.plain
        var entityTag = playlist.etag
        if ContentCoding(accepting: request.headers) == .gzip, let gzip = playlist.gzip {
            body = gzip
            entityTag = playlist.gzipETag
            headers[.contentEncoding] = "gzip"
        }
        headers[.eTag] = entityTag
        if ConditionalRequest.isNotModified(request.headers, entityTag: entityTag) {
            return notModified(headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    private func answer(_ request: Request, with resource: MediaResource) throws -> Response {
        var headers: HTTPFields = [
            .contentType: resource.contentType,
            .cacheControl: CachePolicy.immutable.headerValue,
            .acceptRanges: "bytes",
            .eTag: resource.etag,
        ]
        if ConditionalRequest.isNotModified(request.headers, entityTag: resource.etag) {
            return notModified(headers)
        }
        // A range is of a GET; for any other method the field is ignored (RFC 9110, 14.2).
        let wanted = request.method == .get ? request.headers[.range] : nil
        let applies = ConditionalRequest.rangeApplies(request.headers, entityTag: resource.etag)
        switch ByteRange(header: applies ? wanted : nil, length: resource.byteCount) {
        case .unsatisfiable:
            throw ProblemDetails.rangeNotSatisfiable(length: resource.byteCount)
        case .whole:
            let body = MediaBody.response(of: resource.chunks, range: 0..<resource.byteCount)
            return Response(status: .ok, headers: headers, body: body)
        case .part(let range):
            headers[.contentRange] =
                "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(resource.byteCount)"
            let body = MediaBody.response(of: resource.chunks, range: range)
            return Response(status: .partialContent, headers: headers, body: body)
        }
    }

    /// Source: RFC 9110, 15.4.5: the fields that tell caches about the stored answer, and no body.
    private func notModified(_ headers: HTTPFields) -> Response {
        var headers = headers
        headers[.contentType] = nil
        headers[.contentEncoding] = nil
        headers[.acceptRanges] = nil
        var response = Response(status: .notModified, headers: headers)
        response.headers[.contentLength] = nil
        return response
    }

    private func stream(
        of context: MirrorRequestContext
    ) throws -> (name: StreamName, store: SegmentStore) {
        guard let name = StreamName(try context.parameters.require("stream")),
            let store = streams[name]
        else { throw ProblemDetails.unknownStream }
        return (name, store)
    }
}

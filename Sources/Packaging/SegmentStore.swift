package import Media
import Synchronization

/// All published media of one stream, and the viewers who wait for more of it.
///
/// The store outlives its publishers: when one comes back, the packager goes on with a discontinuity
/// under the same URIs. Only `finish` ends it; a stream of the same name that starts after that has
/// a store of its own, with another epoch.
///
/// Shape of the URIs it answers, below `/live/{stream}/`:
///   `playlist.m3u8`, `{rendition}/playlist.m3u8`, `{rendition}/iframes.m3u8`,
///   `{rendition}/{epoch}-init{v}.mp4`, `{rendition}/{epoch}-seg{msn}.m4s`, `{rendition}/{epoch}-part{n}.m4s`.
/// Bounds: `Limits`; a wait lasts at most three target durations (RFC 8216bis, 6.2.5.2).
/// Threads: any; `apply` and `finish` by one caller at a time. No call blocks on I/O, and waiting
///          viewers are resumed outside the lock.
package final class SegmentStore: Sendable {
    /// What a store holds at most, whatever its publisher sends and its viewers ask.
    ///
    /// In ordinary use the window of the configuration bites first; media is bounded by
    /// `PackagingConfiguration.memoryLimitBytes`.
    package struct Limits: Sendable, Equatable {
        package var waiters = 50_000
        /// Listed in a playlist.
        package var segments = 2_048
        package var partsPerSegment = 4_096
        /// Renditions ever offered.
        package var renditions = 64
        /// Segments a rendition may have missed and still go on with EXT-X-GAP.
        package var gapSegments = 32

        package init() {}
    }

    package let name: StreamName
    package let configuration: PackagingConfiguration
    /// Makes names unique over restarts of the stream: letters and digits.
    package let epoch: String

    private struct Shared {
        var state: SegmentStoreState
        var waiters = SegmentStoreWaiters()
        var rejectedWaiters: UInt64 = 0
        var timedOutWaiters: UInt64 = 0
        var nextWaiter: UInt64 = 0
    }

    private let limits: Limits
    private let now: @Sendable () -> ContinuousClock.Instant
    private let shared: Mutex<Shared>

    package init(
        name: StreamName,
        configuration: PackagingConfiguration,
        epoch: String,
        limits: Limits = Limits(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.name = name
        self.configuration = configuration
        self.epoch = epoch
        self.limits = limits
        self.now = now
        let state = SegmentStoreState(configuration: configuration, epoch: epoch, limits: limits)
        shared = Mutex(Shared(state: state))
    }

    // MARK: Publishing

    /// Makes the outputs of one packager call visible together and wakes who waited for them.
    package func apply(_ outputs: [PackagerOutput]) {
        guard !outputs.isEmpty else { return }
        change { $0.apply(outputs) }
    }

    /// The stream is over: EXT-X-ENDLIST everywhere, and nobody waits any more.
    package func finish() {
        change { $0.finish() }
    }

    package var isEnded: Bool {
        shared.withLock { $0.state.isEnded }
    }

    /// Answers waits that are too old with `timedOut`; to be called about twice a second.
    package func expireWaiters(now: ContinuousClock.Instant) {
        let expired = shared.withLock { shared in
            let expired = shared.waiters.takeExpired(now: now)
            shared.timedOutWaiters += UInt64(expired.count)
            return expired
        }
        for continuation in expired { continuation.resume(returning: .failure(.timedOut)) }
    }

    package var statistics: SegmentStoreStatistics {
        shared.withLock { shared in
            var statistics = shared.state.statistics
            statistics.waiters = shared.waiters.count
            statistics.rejectedWaiters = shared.rejectedWaiters
            statistics.timedOutWaiters = shared.timedOutWaiters
            return statistics
        }
    }

    private func change(_ body: (inout SegmentStoreState) -> Void) {
        let publishedAt = now()
        let woken = shared.withLock { shared in
            shared.state.publishedAt = publishedAt
            body(&shared.state)
            var woken: [(SegmentStoreState.Resolution, [SegmentStoreWaiters.Continuation])] = []
            for wanted in shared.waiters.wanted {
                let resolution = shared.state.resolve(wanted)
                if case .pending = resolution { continue }
                woken.append((resolution, shared.waiters.takeAll(wanting: wanted)))
            }
            return woken
        }
        for (resolution, continuations) in woken {
            for continuation in continuations { continuation.resume(returning: resolution) }
        }
    }

    // MARK: Viewing

    /// Waits until every rendition has media.
    package func multivariantPlaylist() async throws(SegmentStoreError) -> RenderedPlaylist {
        try await playlist(.multivariantPlaylist)
    }

    /// Waits as the directives of the request ask.
    package func mediaPlaylist(
        _ id: Rendition.ID,
        _ request: PlaylistRequest
    ) async throws(SegmentStoreError) -> RenderedPlaylist {
        try await playlist(
            .playlist(id, mediaSequence: request.mediaSequence, part: request.part)
        ).skipping(request.skip)
    }

    /// The I-frames of the picture; waits for the first whole segment.
    package func iFramePlaylist(
        _ id: Rendition.ID
    ) async throws(SegmentStoreError) -> RenderedPlaylist {
        try await playlist(.iFramePlaylist(id))
    }

    /// An initialization, a segment or a part by the last component of its URI.
    ///
    /// The part that the playlist hints is waited for.
    package func resource(
        _ id: Rendition.ID,
        named text: String
    ) async throws(SegmentStoreError) -> MediaResource {
        guard let name = ResourceName(text, epoch: epoch) else { throw .unknownResource }
        switch await wait(for: .resource(id, name)) {
        case .resource(let resource): return resource
        case .failure(let error): throw error
        case .playlist, .pending: throw .unknownResource
        }
    }

    private func playlist(
        _ wanted: SegmentStoreState.Wanted
    ) async throws(SegmentStoreError) -> RenderedPlaylist {
        switch await wait(for: wanted) {
        case .playlist(let playlist): return playlist
        case .failure(let error): throw error
        case .resource, .pending: throw .unknownResource
        }
    }

    /// - Returns: Never `pending`.
    private func wait(for wanted: SegmentStoreState.Wanted) async -> SegmentStoreState.Resolution {
        let (resolution, id) = shared.withLock { shared in
            shared.nextWaiter += 1
            return (shared.state.resolve(wanted), shared.nextWaiter)
        }
        guard case .pending = resolution else { return resolution }

        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enrol(continuation, id: id, wanting: wanted)
            }
        } onCancel: {
            cancel(id: id, wanting: wanted)
        }
    }

    private func enrol(
        _ continuation: SegmentStoreWaiters.Continuation,
        id: UInt64,
        wanting wanted: SegmentStoreState.Wanted
    ) {
        let deadline = now() + .seconds(3 * configuration.targetDurationSeconds)
        let resolution = shared.withLock { shared -> SegmentStoreState.Resolution in
            let resolution = shared.state.resolve(wanted)
            guard case .pending = resolution else { return resolution }
            guard shared.waiters.count < limits.waiters else {
                shared.rejectedWaiters += 1
                return .failure(.tooManyWaiters)
            }
            shared.waiters.insert(continuation, id: id, wanting: wanted, until: deadline)
            return .pending
        }
        if case .pending = resolution {
            // A cancellation that came before the waiter was there found nothing to free.
            if Task.isCancelled { cancel(id: id, wanting: wanted) }
        } else {
            continuation.resume(returning: resolution)
        }
    }

    private func cancel(id: UInt64, wanting wanted: SegmentStoreState.Wanted) {
        let continuation = shared.withLock { $0.waiters.remove(id: id, wanting: wanted) }
        continuation?.resume(returning: .failure(.cancelled))
    }
}

import Ingestion
import Media
import Synchronization

/// Admits publishers as a test says and tells it, in order, who came and who left.
final class RecordingAdmission: StreamAdmission {
    enum Event: Sendable {
        case admitted
        case published(Publication)
        case ended(Publication, EndReason)
    }

    private struct State {
        var live: [StreamName: Publication] = [:]
        var nextIdentifier: UInt64 = 1
    }

    let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let terms: PublishTerms
    private let allowsTakeover: Bool
    /// What publishers are legs of, by their names.
    private let feed: MergedFeed?
    private let state = Mutex(State())
    private let streams = Mutex<[StreamName: LiveStream]>([:])

    init(
        passphrase: String? = nil,
        maxBitrateBitsPerSecond: Int? = nil,
        allowsTakeover: Bool = false,
        feed: MergedFeed? = nil
    ) {
        terms = PublishTerms(
            passphrase: passphrase,
            maxBitrateBitsPerSecond: maxBitrateBitsPerSecond
        )
        self.allowsTakeover = allowsTakeover
        self.feed = feed
        (events, continuation) = AsyncStream.makeStream()
    }

    func stream(_ name: StreamName) -> LiveStream {
        streams.withLock { streams in
            let stream = streams[name] ?? LiveStream(name: name)
            streams[name] = stream
            return stream
        }
    }

    func admit(_ request: PublishRequest) throws(PublishRefusal) -> PublishTerms {
        let isTaken = state.withLock { $0.live[request.name] != nil }
        if isTaken, !allowsTakeover { throw .nameTaken }
        continuation.yield(.admitted)
        return terms
    }

    func publish(
        _ request: PublishRequest,
        disconnect: @escaping @Sendable () -> Void
    ) throws(PublishRefusal) -> Publication {
        _ = try admit(request)
        let previous = state.withLock { $0.live[request.name] }
        previous?.revoke(.takenOver)
        let publication = Publication(
            id: state.withLock { state in
                defer { state.nextIdentifier += 1 }
                return state.nextIdentifier
            },
            request: request,
            startedAt: WallTime(microsecondsSinceEpoch: 0),
            leg: feed?.join(request.name),
            deliver: { [stream = stream(request.name)] in stream.send($0) },
            disconnect: disconnect,
            onEnd: { [self] publication, reason in
                state.withLock { state in
                    if state.live[request.name] === publication { state.live[request.name] = nil }
                }
                continuation.yield(.ended(publication, reason))
            }
        )
        state.withLock { $0.live[request.name] = publication }
        continuation.yield(.published(publication))
        return publication
    }

    /// Somebody is let in, and its handshake goes on.
    func nextAdmission() async {
        for await event in events {
            if case .admitted = event { return }
        }
    }

    /// The next publisher that comes; the events before it are passed over.
    func nextPublication() async -> Publication? {
        for await event in events {
            if case .published(let publication) = event { return publication }
        }
        return nil
    }

    /// The next publisher that leaves, and why.
    func nextEnd() async -> (publication: Publication, reason: EndReason)? {
        for await event in events {
            if case .ended(let publication, let reason) = event { return (publication, reason) }
        }
        return nil
    }
}

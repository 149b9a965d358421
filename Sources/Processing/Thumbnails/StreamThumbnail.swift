package import Media
import Synchronization

/// The thumbnail of one live stream: made when somebody asks for it, once for all who ask.
///
/// In:     the newest keyframe of the stream, whatever it is when its turn comes; nothing is queued.
/// Out:    a file of either format, the same for all until the next keyframe is decoded: when it is asked for
///         again, and `Terms.interval` is over.
/// Wait:   whoever asks while one is due waits for it, for `patience`; then the one before is given, or `busy`
///         thrown.
/// Damage: a keyframe that cannot be decoded is not tried again; the one before stays, and the next has its turn
///         after `retry`.
/// Bound:  one decode at a time, one small picture, a file of each format, `waiterLimit` who wait.
/// Threads: any. Nothing blocks but `work`.
package final class StreamThumbnail: Sendable {
    /// What is made, and how often.
    package struct Terms: Sendable, Equatable {
        package var interval: Duration
        /// In samples; even.
        package var width: Int

        package init(interval: Duration, width: Int) {
            self.interval = interval
            self.width = width
        }
    }

    /// What the thumbnails of all streams share.
    package struct Workshop: Sendable {
        /// `nil`: none are made.
        package var terms: @Sendable () -> Terms?
        /// Has `work` called once, on a thread for it, or else `abandon`; returns at once.
        package var submit: @Sendable (StreamThumbnail) -> Void

        package init(
            terms: @escaping @Sendable () -> Terms?,
            submit: @escaping @Sendable (StreamThumbnail) -> Void
        ) {
            self.terms = terms
            self.submit = submit
        }

        package static let closed = Workshop(terms: { nil }, submit: { $0.abandon() })
    }

    /// How the newest keyframe came out; the raw value is an API field.
    package enum Condition: String, Sendable, CaseIterable {
        /// No keyframe has come.
        case waiting
        /// It can be asked for.
        case ready
        /// The last that was tried could not be decoded.
        case failing
    }

    /// Since the stream began.
    package struct Statistics: Sendable, Equatable {
        package var decodes: UInt64 = 0
        /// Keyframes that could not be decoded.
        package var failures: UInt64 = 0
        /// Of the threads that decode, scale and encode.
        package var cpuTime = Duration.zero
    }

    private typealias Answer = Result<Thumbnail, ThumbnailError>

    private struct Waiter {
        let format: Thumbnail.Format
        let since: WallTime
        let continuation: CheckedContinuation<Answer, Never>
    }

    private struct State {
        var picture: ThumbnailPicture?
        /// Of `picture`, as far as they were asked for.
        var files: [Thumbnail.Format: Thumbnail] = [:]
        /// The keyframe that was decoded last, well or not, and when; 0 is none.
        var tried: UInt64 = 0
        var triedAt: WallTime?
        /// Why the last try failed.
        var failure: ThumbnailError?
        var isAtWork = false
        var waiters: [UInt64: Waiter] = [:]
        var lastWaiter: UInt64 = 0
        var statistics = Statistics()

        mutating func note(
            _ made: Result<ThumbnailPicture, ThumbnailError>,
            of keyframe: UInt64,
            at now: WallTime
        ) {
            tried = keyframe
            triedAt = now
            switch made {
            case .success(let picture):
                statistics.decodes &+= 1
                failure = nil
                self.picture = picture
                files = [:]
            case .failure(let error):
                statistics.failures &+= 1
                failure = error
            }
        }
    }

    private static let patience = Duration.seconds(3)
    private static let retry = Duration.seconds(1)
    private static let waiterLimit = 1_000

    private let live: LiveStream
    private let workshop: Workshop
    private let now: @Sendable () -> WallTime
    private let state = Mutex(State())

    package init(
        of live: LiveStream,
        workshop: Workshop,
        now: @escaping @Sendable () -> WallTime
    ) {
        self.live = live
        self.workshop = workshop
        self.now = now
    }

    /// `nil` while none are made.
    package var interval: Duration? { workshop.terms()?.interval }
    package var statistics: Statistics { state.withLock { $0.statistics } }
    package var waiters: Int { state.withLock { $0.waiters.count } }

    /// `nil` where there never is one: they are off, or nothing decodes the stream's picture.
    package var condition: Condition? {
        guard workshop.terms() != nil, (try? checkPicture()) != nil else { return nil }
        guard live.keyframe != nil else { return .waiting }
        return state.withLock { $0.failure } == nil ? .ready : .failing
    }

    // MARK: Asking

    /// The stream as it looks now, or looked at most `Terms.interval` and a group of pictures ago.
    package func file(as format: Thumbnail.Format) async throws(ThumbnailError) -> Thumbnail {
        guard let terms = workshop.terms() else { throw .disabled }
        guard StillEncoder.isAvailable(format) else { throw .noEncoder(format) }
        try checkPicture()
        let now = now()
        let isThere = try state.withLock { state throws(ThumbnailError) -> Thumbnail? in
            guard !isDue(state, terms, now) else { return nil }
            guard state.picture != nil else { throw state.failure ?? .notYet }
            return state.files[format]
        }
        if let isThere { return isThere }
        return try await wait(for: format, since: now).get()
    }

    private func checkPicture() throws(ThumbnailError) {
        guard let tracks = live.tracks else { throw .notYet }
        guard let video = tracks.video?.video else { throw .noPicture }
        guard PictureDecoder.isAvailable(.video(video.codec)) else { throw .noDecoder(video.codec) }
    }

    private func isDue(_ state: State, _ terms: Terms, _ now: WallTime) -> Bool {
        guard let newest = live.keyframe?.number, newest > state.tried else { return false }
        guard let triedAt = state.triedAt else { return true }
        let interval = state.failure == nil ? terms.interval : min(terms.interval, Self.retry)
        // A clock that was put back must not stop them.
        return !(.zero..<interval).contains(now.duration(since: triedAt))
    }

    private func wait(for format: Thumbnail.Format, since now: WallTime) async -> Answer {
        let id = state.withLock { state in
            state.lastWaiter &+= 1
            return state.lastWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enrol(Waiter(format: format, since: now, continuation: continuation), as: id)
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.continuation.resume(returning: .failure(.cancelled))
        }
    }

    private func enrol(_ waiter: Waiter, as id: UInt64) {
        let (answer, begins) = state.withLock { state -> (Answer?, Bool) in
            guard !Task.isCancelled else { return (.failure(.cancelled), false) }
            guard state.waiters.count < Self.waiterLimit else {
                return (Self.last(waiter.format, in: state), false)
            }
            state.waiters[id] = waiter
            let begins = !state.isAtWork
            state.isAtWork = true
            return (nil, begins)
        }
        if let answer { waiter.continuation.resume(returning: answer) }
        if begins { workshop.submit(self) }
    }

    /// Answers those who have waited for too long; to be called about twice a second.
    package func expireWaiters(now: WallTime) {
        resume { state in
            state.waiters.filter { now.duration(since: $0.value.since) >= Self.patience }
                .mapValues { Self.last($0.format, in: state) }
        }
    }

    /// There was no room or no thread for the work.
    package func abandon() {
        resume { state in
            state.isAtWork = false
            return state.waiters.mapValues { Self.last($0.format, in: state) }
        }
    }

    /// What whoever cannot wait any longer gets.
    private static func last(_ format: Thumbnail.Format, in state: State) -> Answer {
        state.files[format].map(Answer.success) ?? .failure(.busy)
    }

    /// Takes out those who have their answer, and resumes them outside of the lock.
    private func resume(_ answers: (inout State) -> [UInt64: Answer]) {
        let ready = state.withLock { state in
            answers(&state).compactMap { id, answer in
                state.waiters.removeValue(forKey: id).map { ($0.continuation, answer) }
            }
        }
        for (continuation, answer) in ready { continuation.resume(returning: answer) }
    }

    // MARK: Making

    /// Decodes and encodes what is asked for, until nobody waits.
    ///
    /// Blocks.
    package func work() {
        let start = ThreadClock.now
        while serveOnce() {}
        let spent = ThreadClock.now - start
        state.withLock { $0.statistics.cpuTime += spent }
    }

    /// - Returns: Whether somebody waits for what was not made.
    private func serveOnce() -> Bool {
        let (now, terms, keyframe) = (now(), workshop.terms(), live.keyframe)
        let (known, formats, isWanted) = state.withLock { state in
            let isWanted = terms.map { isDue(state, $0, now) } ?? false
            return (state.picture, Set(state.waiters.values.map(\.format)), isWanted)
        }
        var made: Result<ThumbnailPicture, ThumbnailError>?
        if isWanted, let keyframe, let terms, !formats.isEmpty {
            made = Result { () throws(ThumbnailError) in
                try ThumbnailPicture(of: keyframe, width: terms.width)
            }
        }
        let picture = (try? made?.get()) ?? known
        var files: [Thumbnail.Format: Answer] = [:]
        for format in formats {
            files[format] = picture.map { picture in
                Answer { () throws(ThumbnailError) in try picture.encoded(as: format) }
            }
        }
        var isMoreWanted = false
        resume { state in
            if let made, let keyframe {
                state.note(made, of: keyframe.number, at: now)
            }
            for (format, answer) in files { state.files[format] = try? answer.get() }
            let failure = terms == nil ? .disabled : state.failure ?? .notYet
            let answers = state.waiters.filter { formats.contains($0.value.format) }
                .mapValues { files[$0.format] ?? .failure(failure) }
            isMoreWanted = answers.count < state.waiters.count
            state.isAtWork = isMoreWanted
            return answers
        }
        return isMoreWanted
    }
}

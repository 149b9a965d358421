import Foundation
import MirrorServer
import Synchronization
import Testing

@Suite struct ConfigurationWatcherTests {
    @Test func changeCountsOnceItHasComeToRest() {
        #expect(looks(atSizes: [0, 1, 2, 2, 2]) == [false, false, false, true, false])
    }

    @Test func changeThatIsTakenBackIsNone() {
        #expect(looks(atSizes: [1, 0, 0]) == [false, false, false])
    }

    /// What a detector that began with an empty file says at each look.
    private func looks(atSizes sizes: [Int64]) -> [Bool] {
        var stamp = FileStamp(path: "/nonexistent")
        var detector = FileChangeDetector([stamp])
        return sizes.map { size in
            stamp.size = size
            return detector.look([stamp])
        }
    }

    @Test func stampFollowsLinksAndSeesContents() throws {
        let file = try ConfigurationFile("a")
        defer { file.remove() }
        let link = file.path + ".link"
        try FileManager.default.createSymbolicLink(
            atPath: link,
            withDestinationPath: file.path
        )
        defer { try? FileManager.default.removeItem(atPath: link) }
        let before = FileStamp(path: link)
        #expect(before.size == 1)
        try file.write("ab")
        #expect(FileStamp(path: link) != before)
        #expect(FileStamp(path: "/nonexistent").inode == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func fileThatChangesAndSignalTriggerAReload() async throws {
        let file = try ConfigurationFile("a")
        defer { file.remove() }
        let path = file.path
        let looks = Mutex(0)
        let isFileSeen = Mutex(false)
        let (triggers, continuation) = AsyncStream.makeStream(
            of: ConfigurationWatcher.Trigger.self
        )
        let watcher = ConfigurationWatcher(
            files: {
                // The first look is the state at the start; from then on signals are trapped.
                let look = looks.withLock { count -> Int in
                    count += 1
                    return count
                }
                if look == 3 { try? Data("longer".utf8).write(to: URL(filePath: path)) }
                let isSignalDue = isFileSeen.withLock { isSeen -> Bool in
                    defer { isSeen = false }
                    return isSeen
                }
                if isSignalDue { kill(getpid(), SIGHUP) }
                return [path]
            },
            clock: HurriedClock(),
            onChange: { continuation.yield($0) }
        )
        let task = Task { try await watcher.run() }
        var seen = triggers.makeAsyncIterator()
        let first = await seen.next()
        #expect(first == .files)
        isFileSeen.withLock { $0 = true }
        let second = await seen.next()
        #expect(second == .signal)
        task.cancel()
        try await task.value
    }
}

/// Sleeps for no longer than it takes to let others run.
private struct HurriedClock: Clock {
    struct Instant: InstantProtocol {
        var offset = Duration.zero

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    }

    var now: Instant { Instant() }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        await Task.yield()
    }
}

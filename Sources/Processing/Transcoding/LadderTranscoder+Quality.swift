import Synchronization

/// Why the quality of a ladder was not measured.
package enum QualityError: Error, Equatable {
    /// That of a stream is being measured; one at a time is.
    case busy
    /// No rung had a keyframe in time, or there was no thread.
    case nothingCame
}

extension LadderTranscoder {
    /// What is measured is given to all who ask within this time.
    private static let lifetime = Duration.seconds(10)
    /// One ladder at a time: it takes as long as decoding and half of encoding.
    private static let isMeasuring = Mutex(false)

    /// Measures the quality of each rung from its next keyframe on, for `patience` at most.
    ///
    /// The rungs wait for none of it: a thread decodes and compares, behind all that is on air.
    package func measureQuality(
        within patience: Duration = .seconds(8)
    ) async throws(QualityError) -> [RungQuality] {
        if let known = latestQuality.withLock({ $0 }), .now - known.at < Self.lifetime {
            return known.rungs
        }
        let begins = Self.isMeasuring.withLock { isMeasuring in
            defer { isMeasuring = true }
            return !isMeasuring
        }
        guard begins else { throw .busy }
        defer { Self.isMeasuring.withLock { $0 = false } }
        let probe = QualityProbe(plan.rungs)
        insert(probe)
        defer { insert(nil) }
        let timer = Task {
            try? await Task.sleep(for: patience)
            probe.close()
        }
        let measured = await withTaskCancellationHandler {
            await WorkerThread.run("quality") { probe.measure() }
        } onCancel: {
            probe.close()
        }
        timer.cancel()
        guard let measured, !measured.isEmpty, !Task.isCancelled else { throw .nothingCame }
        latestQuality.withLock { $0 = (measured, .now) }
        return measured
    }
}

package import Media

/// The bytes of one contribution become media events.
///
/// The way of the bytes, each step a file in `MPEGTS/`:
///
///     bytes ──TransportPacketFramer──▶ transport packets ──TransportStreamDemuxer──▶ by PID to
///       ├─▶ SectionAssembler ──sections──▶ ProgramSelection: which PIDs to follow
///       └─▶ ElementaryStream ─▶ PESAssembler ──PES packets──▶ Timeline and the bitstream parsers
///                              ──access units──▶ TrackAnnouncer ──▶ MediaEvent
///
/// In:     an MPEG transport stream from any byte on, in any split; packets of 188, 192, 204 bytes.
/// Out:    `.tracks` before the first access unit of a track, then access units, each as soon as
///         its last byte is here; `.discontinuity` where timeline or format break. Never `.end`:
///         only the transport knows why it stopped.
/// Bounds: one PES packet a stream (`pesLimitBytes`), the access units held until the tracks are
///         known (`heldUnitLimit`, `heldByteLimit`), 32 audio tracks, 64 programs.
/// Errors: none. Damage is counted in `statistics` and the stream goes on behind it.
/// Threads: one owner. Nothing here blocks, reads a clock or does I/O.
package struct IngestSession: Sendable {
    package struct Configuration: Sendable {
        /// A video PES packet above this is damage; audio has a fixed limit of its own.
        package var pesLimitBytes: Int
        /// A stream that gave nothing decodable while the others went on for this long is left out
        /// of the first announcement.
        package var silenceLimit: MediaTime
        /// The same for video that does arrive, but has not come to a keyframe yet: a contribution
        /// joined in the middle of a long GOP must not start as audio only.
        package var keyframeLimit: MediaTime
        /// How much is held before the tracks are announced with what is known by then.
        package var heldUnitLimit: Int
        package var heldByteLimit: Int
        /// A stream of the program that does not come for this long counts as an error each time,
        /// and so does a missing CAT: the period that ETSI TR 101 290 leaves to the user.
        package var absenceLimit: Duration

        package init(
            pesLimitBytes: Int = 16 << 20,
            silenceLimit: MediaTime = MediaTime(mpegTicks: 45_000),
            keyframeLimit: MediaTime = MediaTime(mpegTicks: 12 * 90_000),
            heldUnitLimit: Int = 2_000,
            heldByteLimit: Int = 64 << 20,
            absenceLimit: Duration = .seconds(5)
        ) {
            self.pesLimitBytes = pesLimitBytes
            self.silenceLimit = silenceLimit
            self.keyframeLimit = keyframeLimit
            self.heldUnitLimit = heldUnitLimit
            self.heldByteLimit = heldByteLimit
            self.absenceLimit = absenceLimit
        }
    }

    private var framer = TransportPacketFramer()
    private var demuxer: TransportStreamDemuxer

    package init(configuration: Configuration = .init()) {
        demuxer = TransportStreamDemuxer(configuration: configuration)
    }

    /// Counts since the session began.
    package var statistics: TransportStreamStatistics {
        var statistics = demuxer.statistics
        statistics.resynchronisedBytes = framer.skippedBytes
        statistics.errors.syncLosses = framer.syncLosses
        statistics.errors.syncByteErrors = framer.syncByteErrors
        return statistics
    }

    /// Takes the next bytes of the contribution.
    ///
    /// - Parameters:
    ///   - bytes: Read during the call only; nothing that is emitted points into them.
    ///   - arrival: When these bytes reached this machine.
    ///   - emit: Called in order, within this call.
    package mutating func receive(
        _ bytes: UnsafeRawBufferPointer,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        let input = bytes.assumingMemoryBound(to: UInt8.self).span
        var position = 0
        if framer.packetSize == nil { demuxer.pause() } else { demuxer.pass(to: arrival) }
        while true {
            let expected = framer.expectedPackets(in: input, from: position)
            let taken = demuxer.receiveRun(input.extracting(expected), arrival: arrival)
            position += taken * TransportPacket.byteCount
            guard let found = framer.next(in: input, from: &position) else { return }
            switch found {
            case .input(let range):
                demuxer.receive(input.extracting(range), arrival: arrival, emit: emit)
            case .carried(let range):
                let carry = framer.carry
                demuxer.receive(carry.span.extracting(range), arrival: arrival, emit: emit)
            }
        }
    }

    /// The contribution is over: emits what is complete and was still held.
    package mutating func finish(emit: (MediaEvent) -> Void) {
        demuxer.finish(emit: emit)
    }
}

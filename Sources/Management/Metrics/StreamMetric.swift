/// One metric that every stream has, labelled with the stream's name.
struct StreamMetric: Sendable {
    let name: String
    let kind: PrometheusText.Kind
    let help: String
    /// `nil` while the stream has nothing to say of it, such as SRT figures with no publisher.
    let value: @Sendable (StreamSnapshot) -> Double?

    static let all: [StreamMetric] =
        ingest + slate + thumbnail + srt + rtp + transportStream + transportStreamErrors
        + transcoding
        + packaging
        + delivery

    private static func counter(
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (StreamSnapshot) -> UInt64?
    ) -> StreamMetric {
        StreamMetric(name: "mirror_\(name)", kind: .counter, help: help) { stream in
            value(stream).map { Double($0) }
        }
    }

    private static func gauge(
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (StreamSnapshot) -> Double?
    ) -> StreamMetric {
        StreamMetric(name: "mirror_\(name)", kind: .gauge, help: help, value: value)
    }

    private static let ingest: [StreamMetric] = [
        counter("ingest_bytes_total", "Bytes received from the publisher.") {
            $0.ingest?.receivedBytes
        },
        gauge("ingest_rate_bytes_per_second", "Rate received over the last second.") {
            $0.ingest.map { Double($0.bitrateBitsPerSecond) / 8 }
        },
        gauge("ingest_clock_drift_ppm", "Source's clock fast against the server's, in millionths.")
        {
            $0.ingest?.clockDriftPartsPerMillion
        },
    ]

    private static let slate: [StreamMetric] = [
        counter("slate_shown_total", "Times that a slate went on air in place of the inputs.") {
            $0.slate?.shown
        }
    ]

    private static let transcoding: [StreamMetric] = [
        counter("transcoding_decoded_pictures_total", "Pictures decoded, once for all sizes.") {
            $0.transcoding?.decodedPictures
        },
        counter(
            "transcoding_undecodable_pictures_total",
            "Pictures not decoded: damaged, or between damage and the next keyframe."
        ) {
            $0.transcoding?.undecodablePictures
        },
        counter(
            "transcoding_skipped_pictures_total",
            "Pictures not decoded: too many waited."
        ) {
            $0.transcoding?.lostPictures
        },
        StreamMetric(
            name: "mirror_transcoding_decoding_cpu_seconds_total",
            kind: .counter,
            help: "Time on the CPU of decoding and scaling, once for all sizes."
        ) {
            $0.transcoding?.cpuSeconds
        },
        counter(
            "transcoding_undecodable_sound_frames_total",
            "Frames of sound not decoded, and heard as silence: damaged."
        ) {
            $0.transcoding?.audio?.undecodableFrames
        },
        counter(
            "transcoding_skipped_sound_frames_total",
            "Frames of sound not decoded, and heard as silence: too many waited."
        ) {
            $0.transcoding?.audio?.lostFrames
        },
        StreamMetric(
            name: "mirror_transcoding_sound_cpu_seconds_total",
            kind: .counter,
            help: "Time on the CPU of all that is done with sound."
        ) {
            $0.transcoding?.audio?.cpuSeconds
        },
    ]

    private static let thumbnail: [StreamMetric] = [
        counter("thumbnail_decodes_total", "Keyframes decoded for thumbnails.") {
            $0.thumbnail?.decodes
        },
        counter("thumbnail_failures_total", "Keyframes that could not be decoded for them.") {
            $0.thumbnail?.failures
        },
        StreamMetric(
            name: "mirror_thumbnail_cpu_seconds_total",
            kind: .counter,
            help: "Time on the CPU that thumbnails took."
        ) {
            $0.thumbnail?.cpuSeconds
        },
    ]

    private static let srt: [StreamMetric] = [
        gauge("srt_round_trip_seconds", "Smoothed round-trip time to the publisher.") {
            $0.publisher?.srt.map { $0.roundTripMilliseconds / 1_000 }
        },
        gauge("srt_latency_seconds", "Latency agreed with the publisher.") {
            $0.publisher?.srt.map { Double($0.latencyMilliseconds) / 1_000 }
        },
        gauge("srt_receive_buffer_bytes", "Bytes that wait for their time to be delivered.") {
            $0.publisher?.srt.map { Double($0.receiveBufferBytes) }
        },
        counter("srt_received_packets_total", "Data packets received.") {
            $0.publisher?.srt?.receivedPackets
        },
        counter("srt_lost_packets_total", "Data packets found missing.") {
            $0.publisher?.srt?.lostPackets
        },
        counter("srt_retransmitted_packets_total", "Data packets received again.") {
            $0.publisher?.srt?.retransmittedPackets
        },
        counter("srt_dropped_packets_total", "Data packets given up as too late.") {
            $0.publisher?.srt?.droppedPackets
        },
        counter("srt_undecrypted_packets_total", "Data packets that could not be decrypted.") {
            $0.publisher?.srt?.undecryptedPackets
        },
    ]

    private static let rtp: [StreamMetric] = [
        counter("rtp_received_packets_total", "RTP packets received.") {
            $0.publisher?.rtp?.total(\.receivedPackets)
        },
        counter("rtp_lost_packets_total", "RTP packets missing by their sequence numbers.") {
            $0.publisher?.rtp?.total(\.lostPackets)
        },
        counter("rtp_reordered_packets_total", "RTP packets that came behind a later one.") {
            $0.publisher?.rtp?.total(\.reorderedPackets)
        },
        counter("rtp_late_packets_total", "RTP packets that came after they were given up.") {
            $0.publisher?.rtp?.total(\.latePackets)
        },
        counter("rtp_recovered_packets_total", "RTP packets sent again or rebuilt.") {
            $0.publisher?.rtp?.recoveredPackets
        },
        counter("rtp_fec_packets_total", "FEC packets received.") {
            $0.publisher?.rtp?.correction?.receivedPackets
        },
        counter("rtp_insufficient_fec_packets_total", "FEC packets that could not help.") {
            $0.publisher?.rtp?.correction?.insufficientPackets
        },
        counter("rtp_damaged_units_total", "Pictures and frames dropped for a missing packet.") {
            $0.publisher?.rtp?.total(\.damagedUnits)
        },
        gauge("rtp_jitter_seconds", "Interarrival jitter, of the stream where it is largest.") {
            $0.publisher?.rtp?.streams.map { $0.jitterMilliseconds / 1_000 }.max()
        },
        gauge("rtp_clock_offset_seconds", "How far a stream is from its clock, at most.") {
            $0.publisher?.rtp?.streams.map { abs($0.offsetMilliseconds) / 1_000 }.max()
        },
    ]

    private static let transportStream: [StreamMetric] = [
        counter("ts_packets_total", "Transport stream packets.") {
            $0.ingest?.transportStream.packets
        },
        counter("ts_resynchronised_bytes_total", "Bytes skipped to find packets again.") {
            $0.ingest?.transportStream.resynchronisedBytes
        },
        counter("ts_continuity_errors_total", "Packets missing by their continuity counters.") {
            $0.ingest?.transportStream.continuityErrors
        },
        counter("ts_transport_errors_total", "Packets their sender marked as damaged.") {
            $0.ingest?.transportStream.transportErrors
        },
        counter("ts_scrambled_packets_total", "Scrambled packets, which cannot be read.") {
            $0.ingest?.transportStream.scrambledPackets
        },
        counter("ts_section_errors_total", "PAT and PMT sections with a wrong CRC or shape.") {
            $0.ingest?.transportStream.sectionErrors
        },
        counter("ts_damaged_pes_packets_total", "PES packets dropped as damaged.") {
            $0.ingest?.transportStream.damagedPesPackets
        },
        counter("ts_access_units_total", "Pictures and audio frames handed on.") {
            $0.ingest?.transportStream.accessUnits
        },
        counter("ts_misplaced_access_units_total", "Access units outside the timeline.") {
            $0.ingest?.transportStream.misplacedAccessUnits
        },
        counter("ts_discontinuities_total", "Breaks of the source's timeline.") {
            $0.ingest?.transportStream.discontinuities
        },
    ]

    /// By their names in ETSI TR 101 290.
    private static let transportStreamErrors: [StreamMetric] = [
        counter("ts_sync_losses_total", "Times that packets were not found where due.") {
            $0.ingest?.transportStream.syncLosses
        },
        counter("ts_sync_byte_errors_total", "Packets that did not begin with 0x47.") {
            $0.ingest?.transportStream.syncByteErrors
        },
        counter("ts_pat_errors_total", "PAT late, scrambled, or another table in its place.") {
            $0.ingest?.transportStream.patErrors
        },
        counter("ts_pmt_errors_total", "PMT late or scrambled.") {
            $0.ingest?.transportStream.pmtErrors
        },
        counter("ts_pid_errors_total", "Streams of the program that did not come for 5 s.") {
            $0.ingest?.transportStream.pidErrors
        },
        counter("ts_crc_errors_total", "PAT, CAT and PMT sections with a wrong CRC.") {
            $0.ingest?.transportStream.crcErrors
        },
        counter("ts_pcr_repetition_errors_total", "PCRs more than 100 ms apart.") {
            $0.ingest?.transportStream.pcrRepetitionErrors
        },
        counter("ts_pcr_discontinuity_errors_total", "Jumps of the PCR that were not announced.") {
            $0.ingest?.transportStream.pcrDiscontinuityErrors
        },
        counter("ts_pts_errors_total", "PTS of a stream more than 700 ms apart.") {
            $0.ingest?.transportStream.ptsErrors
        },
        counter("ts_cat_errors_total", "CAT missing where packets are scrambled, or another table.")
        {
            $0.ingest?.transportStream.catErrors
        },
        gauge("ts_pcr_jitter_seconds", "Arrival of PCRs against what they say, smoothed.") {
            $0.ingest.map { $0.transportStream.pcrJitterMilliseconds / 1_000 }
        },
    ]

    private static let packaging: [StreamMetric] = [
        counter("packaging_parts_total", "Parts made, of every rendition.") {
            $0.packaging?.parts
        },
        counter("packaging_segments_total", "Segments made, of every rendition.") {
            $0.packaging?.segments
        },
        counter("packaging_forced_cuts_total", "Segments cut without a keyframe.") {
            $0.packaging?.forcedCuts
        },
        counter("packaging_dropped_access_units_total", "Access units that fit nowhere.") {
            $0.packaging?.droppedAccessUnits
        },
        counter("packaging_out_of_target_parts_total", "Parts of a length players dislike.") {
            $0.packaging?.outOfTargetParts
        },
        counter("packaging_discontinuities_total", "Discontinuities in the playlists.") {
            $0.packaging?.discontinuities
        },
        counter("packaging_silent_frames_total", "Frames of silence put where sound was missing.") {
            $0.packaging?.silentFrames
        },
        gauge("packaging_gop_seconds", "Distance of the last two keyframes.") {
            $0.packaging?.gop.lastSeconds
        },
        gauge("packaging_advice", "Things the encoder should change.") {
            $0.packaging.map { Double($0.advice.count) }
        },
    ]

    private static let delivery: [StreamMetric] = [
        gauge("delivery_viewers", "Connections that asked for a playlist in the last seconds.") {
            Double($0.delivery.viewers)
        },
        gauge("delivery_waiters", "Requests held open until something is published.") {
            Double($0.delivery.waiters)
        },
        gauge("store_bytes", "Media held in memory.") { Double($0.delivery.storedBytes) },
        gauge("store_segments", "Segments held in memory.") {
            Double($0.delivery.storedSegments)
        },
        counter("store_evicted_segments_total", "Segments let go early for want of room.") {
            $0.delivery.evictedSegments
        },
        counter("store_rejected_parts_total", "Parts the store had no place for.") {
            $0.delivery.rejectedParts
        },
        counter("delivery_timed_out_waiters_total", "Held requests answered with 503.") {
            $0.delivery.timedOutWaiters
        },
        counter("delivery_rejected_waiters_total", "Requests not held: too many were.") {
            $0.delivery.rejectedWaiters
        },
        counter("playlist_renders_total", "Media playlists rendered; waiters share each.") {
            $0.delivery.playlistRenders
        },
    ]
}

extension PublisherSnapshot.RTP {
    fileprivate func total(_ figure: KeyPath<Stream, UInt64>) -> UInt64 {
        streams.reduce(0) { $0 &+ $1[keyPath: figure] }
    }
}

import Ingestion

/// The page of `/metrics`: every figure of the snapshots under its Prometheus name.
///
/// Labels come from closed sets or are stream names; nothing a viewer sends becomes a label.
struct MetricsPage {
    var text = PrometheusText()

    static func render(source: ManagementSource) -> String {
        var page = MetricsPage()
        let server = source.server()
        let streams = source.streams()
        page.addProcess()
        page.add(server: server)
        page.add(health: source.health())
        page.addCounts(of: streams)
        for stream in streams { page.add(stream: stream) }
        return page.text.render()
    }

    private mutating func addProcess() {
        guard let process = ProcessStatistics.current() else { return }
        text.add(
            "process_cpu_seconds_total",
            .counter,
            "Time on the CPU, user and system.",
            process.cpuSeconds
        )
        text.add(
            "process_resident_memory_bytes",
            .gauge,
            "Memory in RAM.",
            process.residentBytes
        )
        text.add(
            "process_virtual_memory_bytes",
            .gauge,
            "Memory mapped.",
            process.virtualBytes
        )
        text.add("process_threads", .gauge, "Threads.", process.threads)
        text.add(
            "process_start_time_seconds",
            .gauge,
            "When the process started, since the Unix epoch.",
            process.startTimeSeconds
        )
        text.add("process_open_fds", .gauge, "Open file descriptors.", process.openFileDescriptors)
        text.add(
            "process_max_fds",
            .gauge,
            "Limit on open file descriptors.",
            process.maximumFileDescriptors
        )
    }

    private mutating func add(server: ServerSnapshot) {
        text.add(
            "mirror_build_info",
            .gauge,
            "Always 1; the label says which version runs.",
            labels: ["version": server.version],
            1
        )
        for refusal in PublishRefusal.allCases {
            text.add(
                "mirror_publish_refusals_total",
                .counter,
                "Publishers turned away, by reason.",
                labels: ["reason": refusal.rawValue],
                Double(server.refusals[refusal.rawValue] ?? 0)
            )
        }
        if let rtp = server.rtp { add(rtp: rtp) }
        for device in server.transcoding.devices { add(device: device) }
        add(http: server.http)
    }

    private mutating func add(rtp: RTPListenerSnapshot) {
        text.add(
            "mirror_rtp_sessions",
            .gauge,
            "Contributions over RTP and plain UDP on air.",
            Double(rtp.sessions)
        )
        text.add(
            "mirror_rtp_sessions_total",
            .counter,
            "Contributions over RTP and plain UDP that came on air.",
            Double(rtp.acceptedSessions)
        )
        text.add(
            "mirror_rtp_detecting",
            .gauge,
            "Senders of RTP that are looked at and not on air.",
            Double(rtp.detecting)
        )
        text.add(
            "mirror_rtp_datagrams_total",
            .counter,
            "Datagrams that came to the ports of RTP.",
            Double(rtp.datagrams)
        )
        text.add(
            "mirror_rtp_ignored_datagrams_total",
            .counter,
            "Those that were neither RTP nor RTCP, or of nobody on air.",
            Double(rtp.ignoredDatagrams)
        )
        text.add(
            "mirror_rtp_dropped_newcomers_total",
            .counter,
            "Those of new senders that were not looked at: too many came at once.",
            Double(rtp.droppedNewcomers)
        )
    }

    private mutating func add(http: HTTPSnapshot) {
        for connections in http.connections {
            text.add(
                "mirror_http_open_connections",
                .gauge,
                "Connections open now, by version of HTTP.",
                labels: ["protocol": connections.transport],
                Double(connections.open)
            )
            text.add(
                "mirror_http_connections_total",
                .counter,
                "Connections accepted, by version of HTTP.",
                labels: ["protocol": connections.transport],
                Double(connections.total)
            )
            text.add(
                "mirror_http_requests_by_protocol_total",
                .counter,
                "Requests answered, by version of HTTP.",
                labels: ["protocol": connections.transport],
                Double(connections.requests)
            )
        }
        add(quic: http.http3)
        for requests in http.requests { add(requests: requests) }
        text.add(
            "mirror_http_requests_in_progress",
            .gauge,
            "Requests not answered yet, those that wait for media included.",
            Double(http.requestsInProgress)
        )
        text.add(
            "mirror_http_refused_connections_total",
            .counter,
            "Connections closed at once because there were too many.",
            Double(http.refusedConnections)
        )
        text.add(
            "mirror_tls_failed_handshakes_total",
            .counter,
            "TLS handshakes that failed or took too long.",
            Double(http.failedHandshakes)
        )
        text.add(
            "mirror_http_stalled_viewers_total",
            .counter,
            "Viewers cut off because they took nothing of an answer for too long.",
            Double(http.stalledViewers)
        )
        text.add(
            "mirror_http_silent_connections_total",
            .counter,
            "Connections closed because nothing moved on them.",
            Double(http.silentConnections)
        )
        text.add(
            "mirror_http_unreadable_requests_total",
            .counter,
            "Requests over HTTP/1.1 with a header that is too large, or that are none.",
            Double(http.unreadableRequests)
        )
        text.addHistogram(
            "mirror_playlist_release_seconds",
            "From the publication of media until a playlist that waited for it was written.",
            buckets: http.playlistRelease.buckets.map { ($0.atMostSeconds, $0.count) },
            count: http.playlistRelease.count,
            sum: http.playlistRelease.seconds
        )
    }

    private mutating func add(requests: HTTPSnapshot.Requests) {
        for (status, count) in requests.byStatus {
            text.add(
                "mirror_http_requests_total",
                .counter,
                "Requests answered, by kind and class of status.",
                labels: ["route": requests.route, "status": status],
                Double(count)
            )
        }
        text.add(
            "mirror_http_sent_bytes_total",
            .counter,
            "Bytes of answers' bodies that were sent whole.",
            labels: ["route": requests.route],
            Double(requests.sentBytes)
        )
        text.add(
            "mirror_http_abandoned_requests_total",
            .counter,
            "Requests whose viewer left before the end of the answer.",
            labels: ["route": requests.route],
            Double(requests.abandoned)
        )
    }

    private mutating func add(health: HealthSnapshot) {
        text.add(
            "mirror_ready",
            .gauge,
            "1 while the server takes publishers and viewers.",
            health.isReady ? 1 : 0
        )
        for check in health.checks {
            text.add(
                "mirror_health_check",
                .gauge,
                "1 while this part of the server works.",
                labels: ["check": check.name],
                check.isPassing ? 1 : 0
            )
        }
    }

    private mutating func addCounts(of streams: [StreamSnapshot]) {
        for state in StreamSnapshot.State.allCases {
            text.add(
                "mirror_streams",
                .gauge,
                "Streams with a name on air, by state.",
                labels: ["state": state.rawValue],
                Double(streams.count { $0.state == state })
            )
        }
        let publishers = streams.flatMap { stream in
            stream.inputs?.members.map(\.publisher) ?? [stream.publisher]
        }
        for transport in PublishRequest.Transport.allCases {
            text.add(
                "mirror_publishers",
                .gauge,
                "Publishers connected, by transport.",
                labels: ["transport": transport.rawValue],
                Double(publishers.count { $0?.transport == transport.rawValue })
            )
        }
    }

    private mutating func add(stream: StreamSnapshot) {
        for metric in StreamMetric.all {
            guard let value = metric.value(stream) else { continue }
            text.add(metric.name, metric.kind, metric.help, labels: ["stream": stream.name], value)
        }
        for queue in stream.queues { add(queue, of: stream.name) }
        for rendition in stream.delivery.renditions {
            text.add(
                "mirror_rendition_bandwidth_bytes_per_second",
                .gauge,
                "Average rate of a rendition over the playlist's window.",
                labels: ["stream": stream.name, "rendition": rendition.id],
                Double(rendition.averageBandwidthBitsPerSecond) / 8
            )
        }
        if let inputs = stream.inputs { add(inputs: inputs, of: stream.name) }
        if let transcoding = stream.transcoding { add(transcoding, of: stream.name) }
    }

    private mutating func add(_ transcoding: TranscodingSnapshot, of stream: String) {
        for sound in transcoding.audio?.outputs ?? [] {
            text.add(
                "mirror_transcoding_sound_frames_total",
                .counter,
                "Frames of sound encoded.",
                labels: ["stream": stream, "rendition": sound.id],
                Double(sound.frames)
            )
        }
        for rung in transcoding.rungs {
            let labels: KeyValuePairs = ["stream": stream, "rendition": rung.id]
            text.add(
                "mirror_transcoding_pictures_total",
                .counter,
                "Pictures encoded.",
                labels: labels,
                Double(rung.pictures)
            )
            text.add(
                "mirror_transcoding_lost_pictures_total",
                .counter,
                "Pictures left out of a rendition: its encoder had no time.",
                labels: labels,
                Double(rung.lostPictures)
            )
            text.add(
                "mirror_transcoding_cpu_seconds_total",
                .counter,
                "Time on the CPU of a rendition's encoder.",
                labels: labels,
                rung.cpuSeconds
            )
            text.add(
                "mirror_transcoding_delay_seconds",
                .gauge,
                "What encoding added to half of the pictures at most, lately.",
                labels: labels,
                (rung.medianDelayMilliseconds ?? 0) / 1_000
            )
            guard let delays = rung.delays else { continue }
            let steps = [
                ("decode", delays.decode), ("scale", delays.scale), ("encode", delays.encode),
            ]
            for (step, delay) in steps {
                text.add(
                    "mirror_transcoding_step_delay_seconds",
                    .gauge,
                    "How much of that was which step, with what pictures waited for before it.",
                    labels: ["stream": stream, "rendition": rung.id, "step": step],
                    delay.medianMilliseconds / 1_000
                )
            }
        }
    }

    private static let statesOnAir = [
        InputSwitch.State.onAir.rawValue,
        LegStatistics.State.leading.rawValue,
    ]
    private static let statesInReserve = [
        InputSwitch.State.standby.rawValue,
        LegStatistics.State.following.rawValue,
    ]

    private mutating func add(inputs: InputsSnapshot, of stream: String) {
        for input in inputs.members {
            let labels: KeyValuePairs = ["stream": stream, "input": input.name]
            let isOnAir = Self.statesOnAir.contains(input.state)
            let isFit = isOnAir || Self.statesInReserve.contains(input.state)
            text.add(
                "mirror_stream_input_on_air",
                .gauge,
                "1 for the input that viewers get.",
                labels: labels,
                isOnAir ? 1 : 0
            )
            text.add(
                "mirror_stream_input_fit",
                .gauge,
                "1 for an input that is on air or could be at once.",
                labels: labels,
                isFit ? 1 : 0
            )
            text.add(
                "mirror_stream_input_rate_bytes_per_second",
                .gauge,
                "Rate received from the input's publisher over the last second.",
                labels: labels,
                Double(input.ingest?.bitrateBitsPerSecond ?? 0) / 8
            )
            guard let leg = input.leg else { continue }
            text.add(
                "mirror_stream_input_missing_packets_total",
                .counter,
                "Packets of the feed that this input did not bring.",
                labels: labels,
                Double(leg.missingPackets)
            )
            text.add(
                "mirror_stream_input_skew_seconds",
                .gauge,
                "How much later than another this input brings the same packets.",
                labels: labels,
                leg.skewMilliseconds / 1_000
            )
        }
        guard !inputs.isMerged else { return }
        for reason in InputSwitch.Reason.allCases {
            text.add(
                "mirror_stream_input_switches_total",
                .counter,
                "Changes to another input, by reason.",
                labels: ["stream": stream, "reason": reason.rawValue],
                Double(inputs.switches[reason.rawValue] ?? 0)
            )
        }
    }
}

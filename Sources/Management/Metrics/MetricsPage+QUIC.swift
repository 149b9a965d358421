/// HTTP/3 below HTTP: handshakes, packets, what was refused.
extension MetricsPage {
    private static var counters: [(name: String, help: String, value: (QUICSnapshot) -> UInt64)] {
        [
            (
                "mirror_quic_handshakes_total", "Handshakes over QUIC that succeeded.",
                { $0.handshakes }
            ),
            (
                "mirror_quic_failed_handshakes_total",
                "Handshakes over QUIC that failed or took too long.", { $0.failedHandshakes }
            ),
            (
                "mirror_quic_retries_total",
                "Newcomers over QUIC that were asked to prove their address first.", { $0.retries }
            ),
            (
                "mirror_quic_stateless_resets_total",
                "Packets answered with a reset, as their connection is not known.",
                { $0.statelessResets }
            ),
            (
                "mirror_quic_version_negotiations_total",
                "Packets of versions of QUIC that are not spoken.", { $0.versionNegotiations }
            ),
            (
                "mirror_quic_migrations_total",
                "Changes of a viewer's address that were validated.", { $0.migrations }
            ),
            (
                "mirror_quic_narrowed_paths_total",
                "Connections whose longer packets were found to vanish: shorter ones are sent.",
                { $0.narrowedPaths }
            ),
            (
                "mirror_quic_reopened_sockets_total",
                "UDP sockets that could not send and were replaced.", { $0.reopenedSockets }
            ),
            (
                "mirror_quic_received_packets_total", "UDP datagrams received.",
                { $0.receivedPackets }
            ),
            ("mirror_quic_sent_packets_total", "UDP datagrams sent.", { $0.sentPackets }),
            (
                "mirror_quic_lost_packets_total",
                "Packets of answers that were declared lost and sent again.", { $0.lostPackets }
            ),
            (
                "mirror_quic_dropped_packets_total",
                "UDP datagrams that nothing could be done with.", { $0.droppedPackets }
            ),
            (
                "mirror_quic_markable_packets_total",
                "UDP datagrams sent that a full router may mark rather than drop (ECN).",
                { $0.markablePackets }
            ),
            (
                "mirror_quic_congestion_marks_total",
                "UDP datagrams received that a full router has marked (ECN).",
                { $0.congestionMarks }
            ),
            (
                "mirror_quic_received_bytes_total", "Bytes of UDP datagrams received.",
                { $0.receivedBytes }
            ),
            ("mirror_quic_sent_bytes_total", "Bytes of UDP datagrams sent.", { $0.sentBytes }),
            ("mirror_quic_requests_total", "Requests begun over HTTP/3.", { $0.requests }),
            (
                "mirror_quic_abandoned_requests_total",
                "Requests over HTTP/3 that the viewer gave up.", { $0.abandonedRequests }
            ),
            (
                "mirror_quic_protocol_errors_total",
                "Connections closed because the peer broke a rule or a limit.",
                { $0.protocolErrors }
            ),
        ]
    }

    mutating func add(quic: QUICSnapshot) {
        for counter in Self.counters {
            text.add(counter.name, .counter, counter.help, Double(counter.value(quic)))
        }
        text.addHistogram(
            "mirror_quic_round_trip_seconds",
            "The smoothed round trip to the viewer, at the end of each request.",
            buckets: quic.roundTrip.buckets.map { ($0.atMostSeconds, $0.count) },
            count: quic.roundTrip.count,
            sum: quic.roundTrip.seconds
        )
    }
}

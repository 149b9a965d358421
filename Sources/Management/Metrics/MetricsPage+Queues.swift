/// How well the consumers of a stream keep up.
extension MetricsPage {
    mutating func add(_ queue: QueueSnapshot, of stream: String) {
        text.add(
            "mirror_queue_fill_ratio",
            .gauge,
            "How full the queue before a consumer of the stream is, 0 to 1.",
            labels: ["stream": stream, "consumer": queue.consumer],
            queue.fill
        )
        text.add(
            "mirror_queue_highest_fill_ratio",
            .gauge,
            "How full it was at most since the stream began.",
            labels: ["stream": stream, "consumer": queue.consumer],
            queue.highestFill
        )
        let dropped: KeyValuePairs = [
            "disposable": queue.dropped.disposable,
            "upper_layer": queue.dropped.upperLayer,
            "dependent": queue.dropped.dependent,
            "sound": queue.dropped.sound,
        ]
        for (kind, count) in dropped {
            text.add(
                "mirror_queue_dropped_access_units_total",
                .counter,
                "Access units that a consumer was too slow for, by kind.",
                labels: ["stream": stream, "consumer": queue.consumer, "kind": kind],
                Double(count)
            )
        }
    }
}

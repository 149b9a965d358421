extension MetricsPage {
    mutating func add(device: DevicesSnapshot.Device) {
        let labels: KeyValuePairs = ["device": device.name]
        text.add(
            "mirror_transcoding_device_ready",
            .gauge,
            "1 while the device gets new streams.",
            labels: labels,
            device.state == .ready ? 1 : 0
        )
        text.add(
            "mirror_transcoding_device_streams",
            .gauge,
            "Streams that the device makes smaller sizes of.",
            labels: labels,
            Double(device.streams)
        )
        text.add(
            "mirror_transcoding_device_encoders",
            .gauge,
            "Encoders that these have open.",
            labels: labels,
            Double(device.encoders)
        )
        text.add(
            "mirror_transcoding_device_pixels_per_second",
            .gauge,
            "Pixels that these decode and encode.",
            labels: labels,
            device.pixelsPerSecond
        )
        if let limit = device.pixelsPerSecondLimit {
            text.add(
                "mirror_transcoding_device_pixels_per_second_limit",
                .gauge,
                "What the device did when it was measured.",
                labels: labels,
                limit
            )
        }
        text.add(
            "mirror_transcoding_device_failures_total",
            .counter,
            "Times that a stream had to leave the device because it failed.",
            labels: labels,
            Double(device.failures)
        )
    }
}

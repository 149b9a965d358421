package import Ingestion
import Packaging

/// What is known of a sender over RTP that is not on air: its packets are looked at.
package struct DetectionSnapshot: Codable, Sendable, Equatable {
    package var ssrc: UInt32
    package var payloadType: Int
    package var packets: UInt64
    /// What is missing, and what to do about it.
    package var message: String

    package init(_ detection: RTPDetection) {
        ssrc = detection.ssrc
        payloadType = Int(detection.payloadType)
        packets = detection.packets
        message =
            detection.hint.isEmpty
            ? "its packets are looked at: what they carry is not known yet" : detection.hint
    }
}

extension StreamSnapshot {
    /// A sender whose stream is not on air.
    package init(_ detection: RTPDetection) {
        self.init(
            name: "\(detection.name)",
            state: .detecting,
            since: Timestamp(detection.since),
            publisher: PublisherSnapshot(detection),
            tracks: [],
            ingest: nil,
            packaging: nil,
            delivery: DeliverySnapshot(stream: detection.name, store: .init(), viewers: 0)
        )
        self.detection = DetectionSnapshot(detection)
    }
}

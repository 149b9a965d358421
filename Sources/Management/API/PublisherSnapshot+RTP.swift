package import Ingestion

extension PublisherSnapshot {
    /// The packets of one contribution over RTP.
    package struct RTP: Codable, Sendable, Equatable {
        /// One SSRC.
        package struct Stream: Codable, Sendable, Equatable {
            package var ssrc: UInt32
            package var payloadType: Int
            /// `h264`, `opus`, `mpegts`; left out while unknown.
            package var encoding: String?
            /// `probation`, `waiting`, `carried`, `retransmission`, `not_carried`, `left`.
            package var state: String
            package var canonicalName: String?
            package var receivedPackets: UInt64
            package var lostPackets: UInt64
            package var reorderedPackets: UInt64
            package var duplicatePackets: UInt64
            package var jitterMilliseconds: Double
            /// How long a missing packet is waited for.
            package var latencyMilliseconds: Double
            /// Given up: they came later than that.
            package var latePackets: UInt64
            package var damagedUnits: UInt64
            package var undecodableUnits: UInt64
            /// `sender_report`, `arrival`: what its timestamps are put in time by.
            package var clock: String
            /// How far it still is from where its clock says; positive when it is shown late.
            package var offsetMilliseconds: Double
            package var correctionMilliseconds: Double
            package var driftPartsPerMillion: Double?
            /// What is wrong, and what to do about it.
            package var message: String?
        }

        /// Forward error correction, SMPTE ST 2022-1.
        package struct Correction: Codable, Sendable, Equatable {
            package var receivedPackets: UInt64
            /// Media packets that came back.
            package var recoveredPackets: UInt64
            /// FEC packets that more was missing of than they could give back.
            package var insufficientPackets: UInt64
            package var invalidPackets: UInt64
        }

        package var streams: [Stream]
        package var recoveredPackets: UInt64
        /// Left out while no FEC came.
        package var correction: Correction?
        package var misplacedUnits: UInt64
        package var packetsRequested: UInt64
        package var keyframesRequested: UInt64

        package init(_ statistics: RTPStatistics) {
            streams = statistics.streams.map(Stream.init)
            recoveredPackets = statistics.recoveredPackets
            correction = statistics.correction.map {
                Correction(
                    receivedPackets: $0.received,
                    recoveredPackets: $0.recovered,
                    insufficientPackets: $0.insufficient,
                    invalidPackets: $0.invalid
                )
            }
            misplacedUnits = statistics.misplacedUnits
            packetsRequested = statistics.packetsRequested
            keyframesRequested = statistics.keyframesRequested
        }
    }

    package init(_ detection: RTPDetection) {
        transport = PublishRequest.Transport.rtp.rawValue
        address = "\(detection.peer)"
        since = Timestamp(detection.since)
    }
}

extension PublisherSnapshot.RTP.Stream {
    init(_ stream: RTPStatistics.Stream) {
        ssrc = stream.ssrc
        payloadType = Int(stream.payloadType)
        encoding = stream.format?.name
        canonicalName = stream.cname
        receivedPackets = stream.reception.received
        lostPackets = stream.reception.lost
        reorderedPackets = stream.reception.reordered
        duplicatePackets = stream.reception.duplicates
        jitterMilliseconds = stream.reception.jitter.milliseconds
        latencyMilliseconds = stream.reordering.latency.milliseconds
        latePackets = stream.reordering.late
        damagedUnits = stream.units.damagedUnits
        undecodableUnits = stream.units.undecodableUnits
        clock =
            switch stream.clock.source {
            case .senderReport: "sender_report"
            case .arrival: "arrival"
            }
        offsetMilliseconds = stream.clock.offset.milliseconds
        correctionMilliseconds = stream.clock.correction.milliseconds
        driftPartsPerMillion = stream.clock.driftPPM?.roundedForDisplay
        message = stream.hint
        switch stream.state {
        case .probation: state = "probation"
        case .waiting: state = "waiting"
        case .carried: state = "carried"
        case .retransmission: state = "retransmission"
        case .notCarried(let reason):
            state = "not_carried"
            message = message ?? reason
        case .left: state = "left"
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Double { (self / .milliseconds(1)).roundedForDisplay }
}

package import Ingestion

/// Who sends a stream, and over what.
package struct PublisherSnapshot: Codable, Sendable, Equatable {
    /// The health of an SRT connection.
    ///
    /// Source: libsrt API, `SRT_TRACEBSTATS`.
    package struct SRT: Codable, Sendable, Equatable {
        package var roundTripMilliseconds: Double
        package var latencyMilliseconds: Int
        package var bandwidthBitsPerSecond: Int
        package var receivedPackets: UInt64
        package var lostPackets: UInt64
        package var retransmittedPackets: UInt64
        /// Came too late for the latency, and were given up.
        package var droppedPackets: UInt64
        package var undecryptedPackets: UInt64
        package var receiveBufferBytes: Int
        package var receiveBufferMilliseconds: Int
        /// `none`, `AES-128`, `AES-192`, `AES-256`.
        package var encryption: String
        package var peerVersion: String?

        package init(_ statistics: SRTStatistics) {
            roundTripMilliseconds = statistics.roundTripMilliseconds.roundedForDisplay
            latencyMilliseconds = statistics.latencyMilliseconds
            bandwidthBitsPerSecond = Int(wholeOf: statistics.bandwidthBitsPerSecond)
            receivedPackets = statistics.receivedPackets
            lostPackets = statistics.lostPackets
            retransmittedPackets = statistics.retransmittedPackets
            droppedPackets = statistics.droppedPackets
            undecryptedPackets = statistics.undecryptedPackets
            receiveBufferBytes = statistics.receiveBufferBytes
            receiveBufferMilliseconds = statistics.receiveBufferMilliseconds
            encryption =
                switch statistics.encryptionKeyBytes {
                case 16: "AES-128"
                case 24: "AES-192"
                case 32: "AES-256"
                default: "none"
                }
            peerVersion = statistics.peerVersion.isEmpty ? nil : statistics.peerVersion
        }
    }

    /// `srt`, `srt_caller`, `rtp`, `udp`.
    package var transport: String
    /// `192.0.2.7:41000`, `[2001:db8::7]:41000`.
    package var address: String
    /// What the publisher calls itself; it proves nothing.
    package var user: String?
    package var since: Timestamp
    package var srt: SRT?
    package var rtp: RTP?

    package init(_ publication: Publication) {
        let request = publication.request
        transport = request.transport.rawValue
        address = request.source
        user = request.user
        since = Timestamp(publication.startedAt)
        let statistics = publication.statistics
        srt = statistics.srt.map(SRT.init)
        rtp = statistics.rtp.map(RTP.init)
    }
}

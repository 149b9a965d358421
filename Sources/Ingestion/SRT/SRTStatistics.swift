/// One SRT connection in figures, as libsrt's `srt_bstats` gives them.
package struct SRTStatistics: Sendable, Equatable {
    package var roundTripMilliseconds: Double = 0
    /// The latency both sides agreed on.
    package var latencyMilliseconds: Int = 0
    package var bandwidthBitsPerSecond: Double = 0
    package var receivedPackets: UInt64 = 0
    package var lostPackets: UInt64 = 0
    package var retransmittedPackets: UInt64 = 0
    /// Given up on: they did not come back within the latency.
    package var droppedPackets: UInt64 = 0
    package var undecryptedPackets: UInt64 = 0
    package var receiveBufferBytes: Int = 0
    package var receiveBufferMilliseconds: Int = 0
    /// What the kernel keeps for the port until libsrt takes it; `nil` when that is not known.
    package var kernelBufferBytes: Int?
    /// 0 when the contribution is in clear; else 16, 24 or 32 (AES-128, -192, -256).
    package var encryptionKeyBytes: Int = 0
    /// Version of the peer's SRT library, `1.5.1`; empty when unknown.
    package var peerVersion: String = ""

    package init() {}
}

import CSRT

extension SRTStatistics {
    /// The figures of a connection since it was made; `nil` once it is gone.
    init?(of socket: SRTSocket) {
        var counts = CBytePerfMon()
        // Nothing is cleared, so libsrt's interval counters run on as totals.
        guard srt_bstats(socket.id, &counts, 0) == 0 else { return nil }
        self.init()
        roundTripMilliseconds = counts.msRTT
        latencyMilliseconds = Int(counts.msRcvTsbPdDelay)
        bandwidthBitsPerSecond = counts.mbpsBandwidth * 1_000_000
        receivedPackets = UInt64(clamping: counts.pktRecvTotal)
        lostPackets = UInt64(clamping: counts.pktRcvLossTotal)
        retransmittedPackets = UInt64(clamping: counts.pktRcvRetrans)
        droppedPackets = UInt64(clamping: counts.pktRcvDropTotal)
        undecryptedPackets = UInt64(clamping: counts.pktRcvUndecryptTotal)
        receiveBufferBytes = Int(counts.byteRcvBuf)
        receiveBufferMilliseconds = Int(counts.msRcvBuf)
        encryptionKeyBytes = socket.isEncrypted ? Int(socket.integer(SRTO_PBKEYLEN) ?? 0) : 0
        if let version = socket.integer(SRTO_PEERVERSION), version > 0 {
            peerVersion = "\(version >> 16 & 0xff).\(version >> 8 & 0xff).\(version & 0xff)"
        }
    }
}

extension SRTSocket {
    /// What is received is encrypted, and the keys fit.
    var isEncrypted: Bool {
        integer(SRTO_RCVKMSTATE).map(UInt32.init(bitPattern:)) == SRT_KM_S_SECURED.rawValue
    }
}

import CSRT

/// Makes a connection to a listener elsewhere.
struct SRTOutgoingConnection {
    private static let attempt: Duration = .seconds(5)

    let configuration: SRTCaller.Configuration

    /// Connects to the first of the host's addresses that answers.
    ///
    /// Looks at `stop` every 50 ms; `nil` when the attempt was given up for it.
    func make(stop: StopFlag) throws(SRTError) -> (socket: SRTSocket, peer: SRTPeer)? {
        let url = configuration.url
        let addresses = try SocketAddress.resolve(host: url.host, port: url.port)
        var failure: SRTError?
        for address in addresses {
            do throws(SRTError) {
                let socket = try socket()
                guard try connect(socket, to: address, stop: stop) else { return nil }
                return (socket, address.peer ?? SRTPeer(address: url.host, port: url.port))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return nil
    }

    private func socket() throws(SRTError) -> SRTSocket {
        let url = configuration.url
        let socket = try SRTSocket()
        try socket.set(SRTO_RCVSYN, false)
        try socket.set(SRTO_CONNTIMEO, Int32(Self.attempt / .milliseconds(1)))
        try socket.set(SRTO_ENFORCEDENCRYPTION, true)
        try socket.setReceiveOptions(
            latency: url.latency ?? configuration.latency,
            maxBandwidthBitsPerSecond: configuration.maxBandwidthBitsPerSecond,
            peerIdleTimeout: configuration.peerIdleTimeout
        )
        if let streamID = url.streamID { try socket.set(SRTO_STREAMID, streamID) }
        if let keyBytes = url.keyBytes { try socket.set(SRTO_PBKEYLEN, Int32(keyBytes)) }
        if let passphrase = url.passphrase { try socket.set(SRTO_PASSPHRASE, passphrase) }
        return socket
    }

    /// Says whether the connection stands; `false` when it was stopped.
    private func connect(
        _ socket: SRTSocket,
        to address: SocketAddress,
        stop: StopFlag
    ) throws(SRTError) -> Bool {
        let poll = try SRTPoll(capacity: 1)
        try poll.add(socket, [.writable, .failed])
        let status = address.withSocketAddress { srt_connect(socket.id, $0, $1) }
        guard status != SRT_ERROR else { throw refusal(of: socket) }
        let deadline = ContinuousClock.now + Self.attempt
        while !stop.isRaised {
            var interest: SRTPoll.Interest = []
            poll.wait(milliseconds: 50) { _, ready in interest.formUnion(ready) }
            if interest.contains(.failed) { throw refusal(of: socket) }
            if interest.contains(.writable) { return true }
            if ContinuousClock.now >= deadline { throw refusal(of: socket) }
        }
        return false
    }

    private func refusal(of socket: SRTSocket) -> SRTError {
        let reason = srt_getrejectreason(socket.id)
        let isTimeout = UInt32(bitPattern: reason) == SRT_REJ_TIMEOUT.rawValue
        let code = reason >= SRT_REJC_PREDEFINED ? " (\(reason))" : ""
        return SRTError(
            code: isTimeout ? .connectionTimeout : .connectionRefused,
            operation: "connecting to \(configuration.url)",
            reason: String(cString: srt_rejectreason_str(reason)) + code
        )
    }
}

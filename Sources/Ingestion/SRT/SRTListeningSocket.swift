import CSRT

/// One of the sockets that listen on the port, each with a receive thread of libsrt's own.
///
/// libsrt receives, decrypts and acknowledges all streams of a listening socket on one thread; several
/// sockets on one port (`SO_REUSEPORT`) spread the callers over as many threads.
final class SRTListeningSocket: Sendable {
    let socket: SRTSocket
    /// The callback holds no reference: this one keeps it alive until the socket is closed, and
    /// `srt_close` of a listening socket returns only when no callback runs any more.
    private let accessControl: SRTAccessControl
    /// What the kernel buffers for the port, in bytes.
    let kernelBufferBytes: Int

    private static let backlog: Int32 = 128

    private init(
        udp: consuming UDPSocket,
        configuration: SRTListener.Configuration,
        accessControl: SRTAccessControl
    ) throws(SRTError) {
        socket = try SRTSocket()
        self.accessControl = accessControl
        try socket.set(SRTO_RCVSYN, false)
        try socket.set(SRTO_MINVERSION, Int32(SRT_VERSION_FEAT_HSv5))
        // A caller without the passphrase, or with another, is turned away at the handshake.
        try socket.set(SRTO_ENFORCEDENCRYPTION, true)
        try socket.setReceiveOptions(
            latency: configuration.latency,
            maxBandwidthBitsPerSecond: configuration.maxBandwidthBitsPerSecond,
            peerIdleTimeout: configuration.peerIdleTimeout
        )
        let descriptor = udp.release()
        guard srt_bind_acquire(socket.id, descriptor) == 0 else {
            throw .library("giving a UDP socket to libsrt")
        }
        kernelBufferBytes = UDPSocket.receiveBufferBytes(of: descriptor)
        let context = Unmanaged.passUnretained(accessControl).toOpaque()
        guard srt_listen_callback(socket.id, SRTAccessControl.listenCallback, context) == 0 else {
            throw .library("setting the SRT listen callback")
        }
        guard srt_listen(socket.id, Self.backlog) == 0 else {
            throw .library("listening for SRT")
        }
    }

    deinit { socket.close() }

    /// Opens all sockets of the port.
    ///
    /// - Returns: The sockets, at least one, and the port they share.
    static func open(
        configuration: SRTListener.Configuration,
        accessControl: SRTAccessControl
    ) throws(SRTError) -> (sockets: [SRTListeningSocket], port: Int) {
        let addresses = try SocketAddress.resolve(
            host: configuration.bindAddress,
            port: configuration.port
        )
        var address = addresses[0]
        let first = try UDPSocket.bind(first: address)
        let port = try first.port()
        address.setPort(port)
        var sockets = [
            try SRTListeningSocket(
                udp: first,
                configuration: configuration,
                accessControl: accessControl
            )
        ]
        for _ in 1..<max(configuration.receivers, 1) {
            sockets.append(
                try SRTListeningSocket(
                    udp: UDPSocket.bind(sharing: address),
                    configuration: configuration,
                    accessControl: accessControl
                )
            )
        }
        return (sockets, Int(port))
    }
}

extension SRTSocket {
    /// What a socket that receives is set to before it listens or connects.
    func setReceiveOptions(
        latency: Duration,
        maxBandwidthBitsPerSecond: Int?,
        peerIdleTimeout: Duration
    ) throws(SRTError) {
        let sizes = SRTBufferSizes(bitsPerSecond: maxBandwidthBitsPerSecond, latency: latency)
        try set(SRTO_RCVLATENCY, latency.wholeMilliseconds)
        try set(SRTO_PEERIDLETIMEO, peerIdleTimeout.wholeMilliseconds)
        // The receive buffer may not exceed the flow window, so the window comes first.
        try set(SRTO_FC, sizes.flowWindowPackets)
        try set(SRTO_RCVBUF, sizes.receiveBufferBytes)
        try set(SRTO_UDP_RCVBUF, SRTBufferSizes.udpReceiveBufferBytes)
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow
            ? Int32.max : Int32(clamping: milliseconds &+ attoseconds / 1_000_000_000_000_000)
    }
}

package import Media

/// A publisher asks to contribute a stream.
package struct PublishRequest: Sendable {
    package enum Transport: String, Sendable, CaseIterable {
        case srtListener = "srt"
        case srtCaller = "srt_caller"
        case rtp = "rtp"
        /// A transport stream in plain UDP datagrams.
        case udp = "udp"
    }

    package var name: StreamName
    /// `u=` of the SRT access-control syntax; for logs only, it proves nothing.
    package var user: String?
    /// Address of the peer, without the port: what `allowed_sources` is matched against.
    package var sourceAddress: String
    package var sourcePort: Int
    package var transport: Transport

    /// `192.0.2.7:41000`, `[2001:db8::7]:41000`.
    package var source: String { String(host: sourceAddress, port: sourcePort) }

    package init(
        name: StreamName,
        user: String? = nil,
        sourceAddress: String,
        sourcePort: Int,
        transport: Transport
    ) {
        self.name = name
        self.user = user
        self.sourceAddress = sourceAddress
        self.sourcePort = sourcePort
        self.transport = transport
    }
}

/// What an admitted publisher is held to.
package struct PublishTerms: Sendable {
    /// The passphrase the publisher must have used; `nil` accepts clear contributions only.
    package var passphrase: String?
    /// Bits a second; a publisher above it for five seconds is cut off.
    ///
    /// `nil` sets no limit.
    package var maxBitrateBitsPerSecond: Int?

    package init(passphrase: String?, maxBitrateBitsPerSecond: Int? = nil) {
        self.passphrase = passphrase
        self.maxBitrateBitsPerSecond = maxBitrateBitsPerSecond
    }
}

/// Why a publisher was turned away.
///
/// The raw value is a metric label.
package enum PublishRefusal: String, Error, Sendable, CaseIterable {
    case badName = "bad_name"
    case nameTaken = "name_taken"
    /// The stream comes from inputs that have names of their own.
    case hasInputs = "has_inputs"
    case wrongPassphrase = "wrong_passphrase"
    case passphraseRequired = "passphrase_required"
    case passphraseNotExpected = "passphrase_not_expected"
    case sourceNotAllowed = "source_not_allowed"
    case modeNotSupported = "mode_not_supported"
    case full = "full"
    case bitrateExceeded = "bitrate_exceeded"
    /// Over RTP: no session and no SDP tells of it, and it takes one.
    case unannounced = "unannounced"
    case shuttingDown = "shutting_down"
}

/// Who may publish what.
///
/// Asked by every ingest transport.
///
/// Threads: called on transport threads; answers from memory and never blocks.
package protocol StreamAdmission: Sendable {
    /// Asked while the connection is being set up, before any media: claims nothing.
    func admit(_ request: PublishRequest) throws(PublishRefusal) -> PublishTerms

    /// Claims the name, once the connection stands. The caller sends media into the publication and
    /// must end it. `disconnect` is called, on any thread and at most once, when the claim is revoked
    /// (takeover, shutdown, an operator's command); it must not block.
    func publish(
        _ request: PublishRequest,
        disconnect: @escaping @Sendable () -> Void
    ) throws(PublishRefusal) -> Publication
}

import CSRT

extension PublishRefusal {
    /// The reject code the caller is given.
    ///
    /// Source: SRT Access Control Guidelines, "Error codes".
    package var srtRejectCode: Int32 {
        switch self {
        case .badName: SRT_REJX_BAD_REQUEST
        case .nameTaken, .hasInputs: SRT_REJX_CONFLICT
        case .wrongPassphrase, .passphraseRequired: SRT_REJX_UNAUTHORIZED
        case .passphraseNotExpected: SRT_REJX_UNACCEPTABLE
        case .sourceNotAllowed, .unannounced: SRT_REJX_FORBIDDEN
        case .modeNotSupported: SRT_REJX_BAD_MODE
        case .full, .bitrateExceeded: SRT_REJX_OVERLOAD
        case .shuttingDown: SRT_REJX_DOWN
        }
    }

    /// What an operator can do about it.
    package var cure: String {
        switch self {
        case .badName:
            "set the caller's streamid to a stream name: 1 to 64 letters, digits, '-' or '_'"
        case .nameTaken:
            "another publisher has this name: stop it, choose another name, or allow takeover"
        case .hasInputs:
            "this stream has inputs: publish to one of the names in its streams[].inputs"
        case .wrongPassphrase:
            "give the caller the passphrase that is configured for this stream (10 to 79 bytes)"
        case .passphraseRequired:
            "this stream takes encrypted contributions only: set the caller's passphrase"
        case .passphraseNotExpected:
            "no passphrase is configured for this stream: configure it, or clear the caller's"
        case .sourceNotAllowed:
            "add the caller's address to the allowed sources of this stream, if it may publish"
        case .modeNotSupported:
            "this port takes publishers only: set m=publish in the streamid, or leave m out"
        case .full:
            "the limit of publishers is reached: raise it, or stop one"
        case .bitrateExceeded:
            "lower the encoder's bitrate, or raise the limit for this stream"
        case .unannounced:
            "declare it in ingestion.rtp.sessions or by an SDP, or set ingestion.rtp.accept_unannounced"
        case .shuttingDown:
            "the server is stopping: connect again once it is back"
        }
    }
}

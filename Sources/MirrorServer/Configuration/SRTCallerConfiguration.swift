import Foundation
package import Media

/// A stream that Mirror fetches from an SRT listener elsewhere.
package struct SRTCallerConfiguration: Sendable, Equatable {
    package var endpoint: SRTEndpoint?
    /// The name it gets here.
    package var stream: StreamName?
    package var passphrase: Secret?
    /// The wait before the first new attempt; it doubles up to `reconnectMax`.
    package var reconnectMin = Duration.milliseconds(500)
    package var reconnectMax = Duration.seconds(30)

    package init() {}
}

/// `srt://host:port`, with `?streamid=…` where the listener asks for one.
package struct SRTEndpoint: Sendable, Equatable, CustomStringConvertible {
    package let host: String
    package let port: Int
    package let streamID: String?
    /// As it was written.
    package let description: String

    /// Why a text is no endpoint.
    package enum Failure: Error, Equatable {
        case notAnEndpoint
        /// A parameter other than `streamid`.
        case parameter(String)
    }

    package init(_ text: String) throws(Failure) {
        guard let url = URLComponents(string: text), url.scheme == "srt",
            let host = url.host, !host.isEmpty,
            let port = url.port, (1...65_535).contains(port),
            url.path.isEmpty || url.path == "/", url.user == nil, url.fragment == nil
        else { throw .notAnEndpoint }
        var streamID: String?
        for item in url.queryItems ?? [] {
            guard item.name == "streamid" else { throw .parameter(item.name) }
            streamID = item.value
        }
        // SRT holds 512 bytes of it (SRTO_STREAMID).
        guard (streamID?.utf8.count ?? 0) <= 512 else { throw .notAnEndpoint }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        self.port = port
        self.streamID = streamID
        description = text
    }
}

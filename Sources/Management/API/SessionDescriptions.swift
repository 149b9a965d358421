import Distribution
package import Ingestion
package import Media

/// The operator's word on what a stream over RTP carries: asked for, given and taken back.
package struct SessionDescriptions: Sendable {
    /// The SDP that holds for a stream; `nil` when none does.
    package var get: @Sendable (StreamName) -> SessionDescriptionSnapshot?
    /// Has an SDP hold for a stream from now on.
    package var put: @Sendable (StreamName, String) async throws -> SessionDescriptionSnapshot
    /// Takes back what was put; says whether there was something.
    package var delete: @Sendable (StreamName) async throws -> Bool

    package init(
        get: @escaping @Sendable (StreamName) -> SessionDescriptionSnapshot?,
        put: @escaping @Sendable (StreamName, String) async throws -> SessionDescriptionSnapshot,
        delete: @escaping @Sendable (StreamName) async throws -> Bool
    ) {
        self.get = get
        self.put = put
        self.delete = delete
    }

    /// Of a server that does not listen for RTP.
    package static let none = SessionDescriptions(
        get: { _ in nil },
        put: { _, _ in throw ProblemDetails.noRTP },
        delete: { _ in throw ProblemDetails.noRTP }
    )
}

/// The SDP of one stream, and what Mirror has understood of it.
package struct SessionDescriptionSnapshot: Codable, Sendable, Equatable {
    package struct Medium: Codable, Sendable, Equatable {
        /// `video`, `audio`, `other`.
        package var kind: String
        package var port: Int
        package var payloads: [Payload]
    }

    package struct Payload: Codable, Sendable, Equatable {
        package var payloadType: Int
        /// `h264`, `opus`, `mpegts`.
        package var encoding: String
        package var clockRateHertz: Int
        /// Sent along with the SDP; a stream that has them need not send them in band.
        package var parameterSets: Int
    }

    package enum Origin: String, Codable, Sendable {
        /// Put over this API: it is gone when the server stops.
        case memory
        case configuration
    }

    package var stream: String
    package var origin: Origin
    package var media: [Medium]
    package var sdp: String
    /// What to know about it.
    package var message: String

    package init(
        stream: StreamName,
        origin: Origin,
        text: String,
        description: SessionDescription
    ) {
        self.stream = "\(stream)"
        self.origin = origin
        sdp = text
        message =
            switch origin {
            case .memory:
                "Kept in memory until the server stops. To keep it, put it in "
                    + "ingestion.rtp.sessions of the configuration."
            case .configuration: "From ingestion.rtp.sessions of the configuration."
            }
        media = description.media.map { medium in
            Medium(
                kind: "\(medium.kind)",
                port: Int(medium.port),
                payloads: medium.payloads.sorted { $0.key < $1.key }.map { type, format in
                    Payload(
                        payloadType: Int(type),
                        encoding: format.name,
                        clockRateHertz: format.clockRate,
                        parameterSets: format.parameterSets.count
                    )
                }
            )
        }
    }
}

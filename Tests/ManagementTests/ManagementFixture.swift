import Distribution
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Ingestion
import Logging
import Management
import Media
import NIOCore
import Packaging
import Synchronization
import TestSupport
import Testing

/// A management plane whose answers a test sets, behind the server's own router.
struct ManagementFixture: Sendable {
    private final class Answers: Sendable {
        let streams = Mutex<[StreamSnapshot]>([])
        let health = Mutex(HealthSnapshot(status: .ready))
        let server: ServerSnapshot

        init(server: ServerSnapshot) {
            self.server = server
        }
    }

    private let answers: Answers
    private let descriptions: SessionDescriptions
    private let thumbnail: @Sendable (StreamName, Thumbnail.Format) async throws -> Thumbnail
    private let quality: @Sendable (StreamName) async throws -> QualitySnapshot
    private let selectInput: @Sendable (StreamName, StreamName?) throws -> Void
    let console: Console

    init(
        streams: [StreamSnapshot] = [],
        health: HealthSnapshot = HealthSnapshot(status: .ready),
        version: String = "1.2.3",
        refusals: [PublishRefusal: UInt64] = [:],
        traffic: DistributionStatistics.Snapshot = .init(),
        rtp: RTPListenerStatistics? = nil,
        descriptions: SessionDescriptions = .none,
        thumbnail: @escaping @Sendable (StreamName, Thumbnail.Format) async throws -> Thumbnail = {
            name,
            _ in throw ProblemDetails.nobodyPublishes(name)
        },
        quality: @escaping @Sendable (StreamName) async throws -> QualitySnapshot = {
            throw ProblemDetails.noLadder($0)
        },
        selectInput: @escaping @Sendable (StreamName, StreamName?) throws -> Void = { _, _ in },
        webAssetsDirectory: String = "no/such/folder"
    ) {
        answers = Answers(
            server: ServerSnapshot(
                version: version,
                startedAt: Timestamp(.sample),
                publish: .init(srtPort: 30_000, rtpPort: 5_004, isPassphraseRequired: true),
                refusals: refusals,
                http: HTTPSnapshot(traffic),
                rtp: rtp
            )
        )
        self.descriptions = descriptions
        self.thumbnail = thumbnail
        self.quality = quality
        self.selectInput = selectInput
        answers.streams.withLock { $0 = streams }
        answers.health.withLock { $0 = health }
        console = Console(
            webAssetsDirectory: webAssetsDirectory,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private var source: ManagementSource {
        let answers = answers
        return ManagementSource(
            streams: { answers.streams.withLock { $0 } },
            stream: { name in
                answers.streams.withLock { $0.first { $0.name == name.description } }
            },
            health: { answers.health.withLock { $0 } },
            server: { answers.server },
            descriptions: descriptions,
            thumbnail: { [thumbnail] in (try await thumbnail($0, $1), .seconds(5)) },
            quality: quality,
            selectInput: selectInput
        )
    }

    /// What both listeners of the server offer, on one.
    var application: some ApplicationProtocol {
        let source = source
        let console = console
        return Application(
            responder: MirrorRouter.makeResponder { router in
                router.addManagementRoutes(source: source, console: console)
                router.addMetricsRoutes(source: source)
            },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// The answer to one request, without a socket.
    func get(
        _ path: String,
        _ method: HTTPRequest.Method = .get,
        headers: HTTPFields = [:],
        body: String? = nil
    ) async throws -> TestResponse {
        try await application.test(.router) { client in
            try await client.execute(
                uri: path,
                method: method,
                headers: headers,
                body: body.map { ByteBuffer(string: $0) }
            )
        }
    }
}

extension WallTime {
    /// Is 2026-03-01T12:00:00.25Z.
    static let sample = WallTime(microsecondsSinceEpoch: 1_772_366_400_250_000)
}

extension StreamSnapshot {
    /// A live HDR stream with everything that can be said of one.
    static func live(_ name: String) throws -> StreamSnapshot {
        let streamName = try #require(StreamName(name))
        var statistics = IngestStatistics()
        statistics.receivedBytes = 1_000_000
        statistics.bitrateBitsPerSecond = 50_000_000.4
        statistics.transportStream.continuityErrors = 7
        var srt = SRTStatistics()
        srt.roundTripMilliseconds = 12.3456
        srt.encryptionKeyBytes = 32
        srt.lostPackets = 9
        statistics.srt = srt
        let publication = Publication(
            id: 1,
            request: PublishRequest(
                name: streamName,
                sourceAddress: "2001:db8::7",
                sourcePort: 41_000,
                transport: .srtListener
            ),
            startedAt: .sample,
            deliver: { _ in },
            disconnect: {},
            onEnd: { _, _ in }
        )
        publication.update { $0 = statistics }
        var store = SegmentStoreStatistics()
        store.waiters = 3
        store.bytesHeld = 4_096
        return StreamSnapshot(
            name: name,
            state: .live,
            since: Timestamp(.sample),
            publisher: PublisherSnapshot(publication),
            tracks: [Track.hdrVideo, .englishAudio, .spliceData].map(TrackSnapshot.init),
            ingest: IngestSnapshot(publication.statistics),
            packaging: nil,
            delivery: DeliverySnapshot(stream: streamName, store: store, viewers: 2)
        )
    }
}

extension Track {
    static let hdrVideo = Track(
        id: ID(256),
        format: .video(
            VideoFormat(
                codec: .hevc,
                codecString: "hvc1.2.4.L123.B0",
                profile: "Main 10",
                level: "4.1",
                width: 1_920,
                height: 1_080,
                frameRate: Rational(60_000, 1_001),
                bitDepth: 10,
                colour: .init(primaries: 9, transfer: 18, matrix: 9, isFullRange: false),
                decoderConfiguration: ByteBuffer()
            )
        )
    )

    static let englishAudio = Track(
        id: ID(257),
        format: .audio(.sample),
        language: "eng"
    )

    static let spliceData = Track(
        id: ID(258),
        format: .data(DataFormat(kind: .scte35, streamType: 0x86))
    )
}

extension RTPDetection {
    /// A sender of H.264 that lacks its parameter sets.
    static func sample() throws -> RTPDetection {
        RTPDetection(
            name: try #require(StreamName("rtp-7")),
            peer: RTPPeer(address: IPAddress(ipv4: 0xC000_0207), port: 41_000),
            ssrc: 7,
            payloadType: 96,
            since: .sample,
            packets: 12,
            hint: "no parameter sets in band"
        )
    }
}

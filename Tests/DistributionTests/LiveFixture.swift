import Distribution
import Hummingbird
import Logging
import Media
import NIOCore
import Packaging
import TestSupport

/// A stream with one rendition of made-up media, published a part at a time.
///
/// Three parts a segment of one second; every part is `partBytes` of its own number.
final class LiveFixture: Sendable {
    static let epoch = "e1"

    let name: StreamName
    let store: SegmentStore
    let streams = StreamDirectory()
    let statistics = DistributionStatistics()
    let rendition = Rendition.ID("video")
    private let partBytes: Int

    init?(name: String = "cam", partBytes: Int = 1000) {
        guard let name = StreamName(name) else { return nil }
        self.name = name
        self.partBytes = partBytes
        store = SegmentStore(
            name: name,
            configuration: PackagingConfiguration(segmentTarget: .seconds(1)),
            epoch: Self.epoch
        )
        streams.insert(store)
        let format = VideoFormat.sample(decoderConfiguration: ByteBuffer(string: "avcC"))
        let track = Track(id: .init(1), format: .video(format))
        store.apply([
            .renditions([
                Rendition(
                    id: rendition,
                    track: track,
                    initialization: ByteBuffer(string: "ftypmoov"),
                    partTarget: MediaTime(mpegTicks: 30_000)
                )
            ])
        ])
    }

    /// Parts are numbered from zero over the whole stream.
    func publish(parts: Range<Int>) {
        for number in parts {
            var outputs: [PackagerOutput] = []
            if number % 3 == 0 {
                let start = WallTime(
                    microsecondsSinceEpoch: 1_700_000_000_000_000 + Int64(number) * 333_333
                )
                outputs.append(
                    .openSegment(
                        rendition,
                        SegmentStart(
                            mediaSequence: UInt64(number / 3),
                            programDateTime: start,
                            isDiscontinuity: false
                        )
                    )
                )
            }
            outputs.append(
                .part(
                    rendition,
                    Part(
                        slices: [bytes(ofPart: number)],
                        duration: MediaTime(mpegTicks: 30_000),
                        isIndependent: number % 3 == 0
                    )
                )
            )
            if number % 3 == 2 { outputs.append(.closeSegment(rendition)) }
            store.apply(outputs)
        }
    }

    func bytes(ofPart number: Int) -> ByteBuffer {
        ByteBuffer(repeating: UInt8(truncatingIfNeeded: number), count: partBytes)
    }

    func responder(alternative: AlternativeService? = nil) -> MirrorRouter.Responder {
        MirrorRouter.makeResponder(alternative: alternative) { router in
            HLSResponder(
                streams: streams,
                packaging: store.configuration,
                statistics: statistics
            ).addRoutes(to: router)
        }
    }

    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }
}

struct NoFixture: Error {}

/// Waits for something that another task or process is about to bring about.
func eventually(
    within limit: Duration = .seconds(10),
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

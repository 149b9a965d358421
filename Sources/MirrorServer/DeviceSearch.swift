import Logging
import Processing
import ServiceLifecycle

/// Looks for cards that transcode, once, while everything else starts.
///
/// It takes no time where there is no driver, and a second or two a card where there is one: each is
/// measured. Streams that come meanwhile get their smaller sizes when it is over.
struct DeviceSearch: Service {
    let scheduler: DeviceScheduler
    private let isWanted: Bool
    private let logger: Logger

    init(_ configuration: TranscodingConfiguration, logger: Logger) {
        isWanted = configuration.usesGPU
        self.logger = logger
        scheduler = DeviceScheduler(
            isSearching: isWanted,
            onFailure: { device, reason in
                logger.warning(
                    "transcoding device failed",
                    metadata: ["device": "\(device)", "reason": "\(reason)"]
                )
            }
        )
    }

    func run() async throws {
        if isWanted {
            let result = await WorkerThread.run("devices") { NVIDIADevice.search() }
            let (cards, absence) = result ?? ([], "the system gives no thread")
            scheduler.found(cards, absence: absence)
            for card in cards {
                logger.info(
                    "transcoding device",
                    metadata: [
                        "device": "\(card.device.name)", "model": "\(card.device.model)",
                        "pixels_per_second": "\(card.pixelRateLimit.map { "\(Int($0))" } ?? "")",
                    ]
                )
            }
            if let absence {
                logger.info(
                    "no card for transcoding, the CPU does it",
                    metadata: ["reason": "\(absence)"]
                )
            }
        }
        try? await gracefulShutdown()
    }
}

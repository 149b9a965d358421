import Distribution
import Hummingbird
import Logging
import Management
import Packaging
import ServiceLifecycle

/// Every port that viewers and operators knock at.
///
/// HTTPS, HTTP/3 and plain HTTP share one responder.
struct FrontDoors {
    let services: [any Service]

    init(
        _ configuration: ServerConfiguration,
        credentials: TLSCredentials,
        directory: StreamDirectory,
        traffic: DistributionStatistics,
        management: ManagementSource,
        readiness: Readiness,
        logger: Logger
    ) {
        let settings = DistributionConfiguration(configuration)
        let console = Console(
            webAssetsDirectory: configuration.server.webAssets,
            logger: logger
        )
        let media = HLSResponder(
            streams: directory,
            packaging: configuration.packaging,
            statistics: traffic
        )
        let http3 = AlternativeService()
        let viewers = MirrorRouter.makeResponder(
            limits: settings.limits,
            alternative: settings.isHTTP3Enabled ? http3 : nil
        ) { router in
            media.addRoutes(to: router)
            router.addManagementRoutes(source: management, console: console)
        }
        let operators = MirrorRouter.makeResponder(limits: settings.limits) { router in
            router.addMetricsRoutes(source: management)
            router.addHealthRoutes(source: management)
        }

        func door(
            _ service: String,
            _ address: String,
            _ port: Int,
            _ security: HTTPFrontDoor.Security,
            _ responder: MirrorRouter.Responder
        ) -> HTTPFrontDoor {
            HTTPFrontDoor(
                address: address,
                port: port,
                security: security,
                responder: responder,
                limits: settings.limits,
                statistics: traffic,
                logger: logger
            ) { port in
                readiness.opened(service, address: address, port: port)
            }
        }

        let address = settings.bindAddress
        var services: [any Service] = [
            door("https", address, settings.httpsPort, .tls(credentials), viewers),
            door("metrics", settings.metricsBindAddress, settings.metricsPort, .plain, operators),
        ]
        if settings.isHTTP3Enabled {
            services.append(
                HTTP3FrontDoor(
                    address: address,
                    port: settings.http3Port,
                    credentials: credentials,
                    congestionControl: settings.congestionControl,
                    responder: viewers,
                    limits: settings.limits,
                    statistics: traffic,
                    logger: logger
                ) { port in
                    http3.opened(port: port)
                    readiness.opened("http3", address: address, port: port)
                }
            )
        }
        if settings.httpPort != 0 {
            services.append(door("http", address, settings.httpPort, .plain, viewers))
        }
        self.services = services
    }
}

extension ServerConfiguration {
    /// The names under which ports are told in the log and in the health probes.
    var listeningServices: [String] {
        ["https", "metrics"] + (server.http3.isEnabled ? ["http3"] : [])
            + (server.httpPort == 0 ? [] : ["http"])
            + (srt.isEnabled ? ["srt"] : []) + (rtp.isEnabled ? rtp.listeningServices : [])
    }
}

extension ServerConfiguration.RTP {
    fileprivate var listeningServices: [String] {
        ["rtp", "rtcp"] + (correctionPorts.isEmpty ? [] : ["fec-columns", "fec-rows"])
            + ownPorts.flatMap { own in
                ["rtp-\(own.port)"] + (own.rtcpPort == nil ? [] : ["rtcp-\(own.port)"])
                    + (own.correctionPorts.isEmpty
                        ? [] : ["fec-columns-\(own.port)", "fec-rows-\(own.port)"])
            }
    }
}

extension DistributionConfiguration {
    init(_ configuration: ServerConfiguration) {
        var limits = RequestLimits()
        limits.maxConnections = configuration.server.maxConnections
        self.init(
            bindAddress: BindAddress.usable(configuration.server.bindAddress),
            httpsPort: configuration.server.httpsPort,
            httpPort: configuration.server.httpPort,
            isHTTP3Enabled: configuration.server.http3.isEnabled,
            http3Port: configuration.server.http3Port,
            congestionControl: configuration.server.http3.congestionControl,
            certificatePath: configuration.server.tlsCertificateFile,
            keyPath: configuration.server.tlsKeyFile,
            minimumTLSVersion: configuration.server.minimumTLSVersion == .tls12 ? .tls12 : .tls13,
            metricsBindAddress: BindAddress.usable(configuration.metrics.bindAddress),
            metricsPort: configuration.metrics.port,
            limits: limits
        )
    }
}

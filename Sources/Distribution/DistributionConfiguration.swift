/// Where viewers are served, and what one of them may take.
///
/// Plain values: where they come from (file, environment, flags) is no concern of this target.
package struct DistributionConfiguration: Sendable, Equatable {
    package enum TLSVersion: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// Host name or address that the HTTPS and the plain HTTP doors listen on.
    package var bindAddress: String
    /// HTTP/2 and HTTP/1.1 over TLS; zero takes any free port.
    package var httpsPort: Int
    /// Plain HTTP/1.1, for a CDN or a proxy on a private network; zero closes this door.
    package var httpPort: Int
    package var isHTTP3Enabled: Bool
    /// UDP; zero takes any free port.
    package var http3Port: Int
    package var congestionControl: CongestionControl
    /// PEM files: the certificate with its chain, leaf first, and the private key.
    package var certificatePath: String
    package var keyPath: String
    package var minimumTLSVersion: TLSVersion
    /// Plain HTTP/1.1 for `/metrics` and `/health/*`; port zero takes any free port.
    package var metricsBindAddress: String
    package var metricsPort: Int
    package var limits: RequestLimits

    package init(
        bindAddress: String = "0.0.0.0",
        httpsPort: Int = 8443,
        httpPort: Int = 0,
        isHTTP3Enabled: Bool = true,
        http3Port: Int = 8443,
        congestionControl: CongestionControl = .default,
        certificatePath: String = "./certs/cert.pem",
        keyPath: String = "./certs/key.pem",
        minimumTLSVersion: TLSVersion = .tls13,
        metricsBindAddress: String = "127.0.0.1",
        metricsPort: Int = 9090,
        limits: RequestLimits = RequestLimits()
    ) {
        self.bindAddress = bindAddress
        self.httpsPort = httpsPort
        self.httpPort = httpPort
        self.isHTTP3Enabled = isHTTP3Enabled
        self.http3Port = http3Port
        self.congestionControl = congestionControl
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.minimumTLSVersion = minimumTLSVersion
        self.metricsBindAddress = metricsBindAddress
        self.metricsPort = metricsPort
        self.limits = limits
    }
}

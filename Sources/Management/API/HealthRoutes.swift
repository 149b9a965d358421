import Distribution
package import Hummingbird

extension RouterMethods {
    /// Adds `/health/live` (the process answers) and `/health/ready` (send work here), for load
    /// balancers and Kubernetes probes.
    ///
    /// A server that is not ready answers 503 with the reasons.
    package func addHealthRoutes(source: ManagementSource) {
        addResource("/health/live") { _, _ in JSONBody(["status": "alive"]) }
        addResource("/health/ready") { _, _ in
            let health = source.health()
            return JSONBody(health, status: health.isReady ? .ok : .serviceUnavailable)
        }
    }
}

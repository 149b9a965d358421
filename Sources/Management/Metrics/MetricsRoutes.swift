import Distribution
package import Hummingbird
import NIOCore

extension RouterMethods {
    /// Adds `/metrics`, for Prometheus.
    ///
    /// Meant for the metrics listener only.
    package func addMetricsRoutes(source: ManagementSource) {
        addResource("/metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
                body: ResponseBody(
                    byteBuffer: ByteBuffer(string: MetricsPage.render(source: source))
                )
            )
        }
    }
}

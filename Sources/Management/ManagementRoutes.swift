package import Distribution
package import Hummingbird

extension RouterMethods {
    /// Everything of the management plane that belongs on the HTTPS listener: the console, the API
    /// and the health probes.
    ///
    /// Metrics have a listener of their own.
    package func addManagementRoutes(source: ManagementSource, console: Console)
    where Context == MirrorRequestContext {
        addConsoleRoutes(console)
        addAPIRoutes(source: source)
        addSessionDescriptionRoutes(source.descriptions)
        addInputRoutes(source: source)
        addThumbnailRoutes(source: source)
        addQualityRoutes(source: source)
        addHealthRoutes(source: source)
    }
}

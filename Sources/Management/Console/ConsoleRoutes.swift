import Distribution
package import Hummingbird
import Media

extension RouterMethods {
    /// Adds `/`, `/watch/{stream}` and the files both need under `/assets/`.
    ///
    /// The watch page is there for any stream name, on air or not: it waits for the stream.
    package func addConsoleRoutes(_ console: Console) {
        addResource("/") { request, _ in console.index.response(to: request) }
        addResource("/watch/:stream") { request, context in
            guard StreamName(context.parameters.get("stream") ?? "") != nil else {
                throw ProblemDetails.badStreamName
            }
            return console.watch.response(to: request)
        }
        addResource("/assets/\(PlayerLibrary.fileName)") { request, _ in
            guard let library = console.playerLibrary else {
                throw ProblemDetails.playerLibraryMissing
            }
            return library.asset.response(to: request)
        }
        for (name, asset) in console.assets {
            addResource("/assets/\(name)") { request, _ in asset.response(to: request) }
        }
        addResource("/favicon.ico") { request, _ in
            console.assets["icon.svg"]?.response(to: request)
        }
    }
}

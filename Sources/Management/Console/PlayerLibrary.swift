import Crypto
import FoundationEssentials
import Logging

/// hls.js as it is installed beside the server, checked against the version the pages are made for.
struct PlayerLibrary: Sendable {
    /// hls.js 1.5.7, `dist/hls.min.js`.
    ///
    /// `scripts/fetch-web-assets` installs the same bytes.
    static let sha256 = "a78b3603d762428caba2ef21674e4d47fbc4e7496292b28f845ba7372849360b"
    static let fileName = "hls.min.js"
    /// The pinned file is 0.4 MB; whatever is larger is not it, and is not read.
    private static let byteLimit = 2 << 20

    let asset: WebAsset

    /// - Returns: `nil`, and a warning in the log with the cure, when the file is not there or is
    ///            another one.
    static func load(from directory: String, logger: Logger) -> PlayerLibrary? {
        let path = "\(directory)/\(fileName)"
        let cure: Logger.MetadataValue = "run scripts/fetch-web-assets, then start again"
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let size = attributes?[.size] as? UInt64, size <= byteLimit,
            let data = FileManager.default.contents(atPath: path)
        else {
            logger.warning(
                "no player library: the watch page cannot play",
                metadata: ["file": "\(path)", "cure": cure]
            )
            return nil
        }
        let found = SHA256.hash(data: data).hexadecimal
        guard found == sha256 else {
            logger.warning(
                "unexpected player library, not served: the watch page cannot play",
                metadata: ["file": "\(path)", "sha256": "\(found)", "cure": cure]
            )
            return nil
        }
        return PlayerLibrary(
            asset: WebAsset(
                [UInt8](data),
                contentType: "text/javascript; charset=utf-8",
                lifetime: .immutable
            )
        )
    }
}

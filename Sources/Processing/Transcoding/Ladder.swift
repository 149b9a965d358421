package import Media

/// The sizes that streams of a kind are offered in.
package struct Ladder: Sendable, Equatable {
    /// Empty where none is for the source.
    package var name = ""
    /// Streams it is for; `nil`: all.
    package var match: StreamPattern?
    /// Sources it is for; empty: all.
    package var sourceCodecs: [VideoFormat.Codec] = []
    /// Sources that are smaller, either way, are not meant; `nil`: none is too small.
    package var smallestSource: PictureSize?
    /// Sources that are larger, either way, are not meant; `nil`: none is too large.
    package var largestSource: PictureSize?
    /// `nil`: that of the configuration.
    package var preset: TranscodingPreset?
    /// `nil`: that of the configuration.
    package var mode: TranscodingMode?
    /// The source itself is the top of the ladder, as it is sent.
    package var keepsSource = true
    /// Empty: what is usual below the size of the source.
    package var outputFormats: [OutputFormat] = []

    package init() {}

    /// Lying or standing.
    func isFor(_ source: VideoFormat) -> Bool {
        guard sourceCodecs.isEmpty || sourceCodecs.contains(source.codec) else { return false }
        let (long, short) = (max(source.width, source.height), min(source.width, source.height))
        if let least = smallestSource, long < least.long || short < least.short { return false }
        if let most = largestSource, long > most.long || short > most.short { return false }
        return true
    }

    /// Somebody chose it by its name.
    mutating func takeAll() {
        sourceCodecs = []
        smallestSource = nil
        largestSource = nil
    }
}

extension PictureSize {
    fileprivate var long: Int { max(width, height) }
    fileprivate var short: Int { min(width, height) }
}

/// A clip that is published over SRT in real time, as an encoder would send it.
package enum LiveSource: String, CaseIterable, Sendable {
    case h264, hevc, av1

    /// How CODECS of the multivariant playlist begins.
    package var codecs: String {
        switch self {
        case .h264: "CODECS=\"avc1."
        case .hevc: "CODECS=\"hvc1."
        case .av1: "CODECS=\"av01."
        }
    }

    package func publish(to mirror: MirrorProcess, as name: String) async throws -> Publisher {
        switch self {
        case .h264, .hevc:
            try Publisher.ffmpeg(
                MirrorProcess.fixture("\(rawValue).mkv"),
                to: mirror.publishURL(name)
            )
        case .av1:
            try Publisher.av1(to: mirror.publishURL(name))
        }
    }
}

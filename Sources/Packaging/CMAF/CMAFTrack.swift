import Media
import NIOCore

/// How one track is carried in CMAF: its clock and what its samples have in common.
///
/// Only formats that HLS players know are carried; JPEG XS is not.
/// Source: ISO/IEC 23000-19, 7.
struct CMAFTrack: Sendable {
    enum Media: Sendable {
        case video(VideoFormat)
        case audio(AudioFormat)
    }

    let media: Media
    /// Types of the sample entry and of the decoder configuration box inside it.
    let sampleEntry: FourCC
    let decoderConfiguration: FourCC
    /// ISO 639-2; `nil` is written as `und`.
    let language: String?
    /// Ticks a second: 90 000 for video, the sampling rate for audio, so that audio times are exact.
    let timescale: UInt32
    /// Said once in `trex`, and again in a chunk only where it differs; zero when not constant.
    let defaultDuration: UInt32
    let defaultFlags: SampleFlags

    /// - Returns: `nil` when CMAF does not carry the format.
    init?(_ track: Track) {
        switch track.format {
        case .video(let format):
            switch format.codec {
            case .h264: (sampleEntry, decoderConfiguration) = ("avc1", "avcC")
            case .hevc: (sampleEntry, decoderConfiguration) = ("hvc1", "hvcC")
            case .av1: (sampleEntry, decoderConfiguration) = ("av01", "av1C")
            case .jpegXS: return nil
            }
            media = .video(format)
            timescale = MediaTime.mpegTimescale
            defaultDuration = 0
            defaultFlags = .dependent
        case .audio(let format):
            guard 1...768_000 ~= format.sampleRate, 32...65_536 ~= format.samplesPerAccessUnit
            else { return nil }
            switch format.codec {
            case .aac, .mp3: (sampleEntry, decoderConfiguration) = ("mp4a", "esds")
            case .opus: (sampleEntry, decoderConfiguration) = ("Opus", "dOps")
            case .ac3: (sampleEntry, decoderConfiguration) = ("ac-3", "dac3")
            case .eac3: (sampleEntry, decoderConfiguration) = ("ec-3", "dec3")
            case .linearPCM: return nil
            }
            media = .audio(format)
            timescale = UInt32(format.sampleRate)
            defaultDuration = UInt32(format.samplesPerAccessUnit)
            defaultFlags = .sync
        case .data:
            return nil
        }
        language = track.language
    }
}

package import NIOCore

/// One coded picture, or one coded audio frame, with its times.
///
/// Shape of `payload`, ready to be a CMAF sample:
/// - H.264, HEVC: NAL units, each behind a 4-byte big-endian length; no access unit delimiters, no
///   filler, no parameter sets (they are in the track's decoder configuration; keyframes of a slate in
///   H.264 have them as well).
/// - AV1: a temporal unit of OBUs with `obu_size`, without the temporal delimiter.
/// - AAC: one raw_data_block, no ADTS or LATM framing. Opus: one packet. AC-3, E-AC-3: one
///   syncframe (E-AC-3: one access unit of six blocks). MP3: one frame with its header.
/// - Linear PCM: as `LinearPCM` says.
///
/// Units: `pts` and `dts` are unwrapped ticks of the source's clock; `pts >= dts`.
/// Ownership: the payload is owned, never a view of a buffer that is reused.
package struct AccessUnit: Sendable {
    /// How far a decoder can start here.
    package enum RandomAccess: Sendable, Hashable {
        /// Needs earlier pictures.
        case none
        /// An open-GOP entry (CRA, recovery point): pictures that follow in decoding order but
        /// precede it in output order may be missing.
        case open
        /// IDR, closed entry, or any audio frame.
        case closed
    }

    package var track: Track.ID
    package var pts: MediaTime
    package var dts: MediaTime
    package var payload: ByteBuffer
    package var randomAccess: RandomAccess
    /// No other picture refers to this one: the first to go when a consumer is too slow.
    package var isDisposable: Bool
    /// No picture refers to one of a higher layer, so layers can go from the top down; 0 where the
    /// bitstream has no layers.
    package var temporalLayer: Int
    /// When its last byte reached this machine.
    package var arrival: WallTime
    /// What the source's own clock showed when it was sent; `nil` when the source tells no time.
    package var sourceTime: WallTime?

    package init(
        track: Track.ID,
        pts: MediaTime,
        dts: MediaTime,
        payload: ByteBuffer,
        randomAccess: RandomAccess,
        isDisposable: Bool = false,
        temporalLayer: Int = 0,
        arrival: WallTime,
        sourceTime: WallTime? = nil
    ) {
        self.track = track
        self.pts = pts
        self.dts = dts
        self.payload = payload
        self.randomAccess = randomAccess
        self.isDisposable = isDisposable
        self.temporalLayer = temporalLayer
        self.arrival = arrival
        self.sourceTime = sourceTime
    }

    package var isKeyframe: Bool { randomAccess != .none }
}

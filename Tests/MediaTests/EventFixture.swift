import Media
import NIOCore
import TestSupport

/// Events of a stream with a picture and sound, made by hand.
enum EventFixture {
    static let video = Track.ID(256)
    static let audio = Track.ID(257)

    static let picture = Track(
        id: video,
        format: .video(.sample())
    )
    static let sound = Track(
        id: audio,
        format: .audio(.sample)
    )

    /// A unit whose number is its time, as each of its clocks has it, unless told otherwise.
    static func unit(
        _ time: Int64,
        pts: Int64? = nil,
        track: Track.ID = video,
        randomAccess: AccessUnit.RandomAccess = .none,
        isDisposable: Bool = false,
        layer: Int = 0,
        bytes: Int = 100
    ) -> MediaEvent {
        .accessUnit(
            AccessUnit(
                track: track,
                pts: MediaTime(mpegTicks: pts ?? time),
                dts: MediaTime(mpegTicks: time),
                payload: ByteBuffer(repeating: 0, count: bytes),
                randomAccess: randomAccess,
                isDisposable: isDisposable,
                temporalLayer: layer,
                arrival: WallTime(microsecondsSinceEpoch: time)
            )
        )
    }

    static func keyframe(_ time: Int64, bytes: Int = 100) -> MediaEvent {
        unit(time, randomAccess: .closed, bytes: bytes)
    }

    static func sound(_ time: Int64) -> MediaEvent {
        unit(time, track: audio, randomAccess: .closed)
    }

    /// A picture by its number, sound behind an `a`, the others by their name.
    static func word(_ event: MediaEvent) -> String {
        switch event {
        case .tracks: "tracks"
        case .accessUnit(let unit): (unit.track == audio ? "a" : "") + "\(unit.dts.ticks)"
        case .discontinuity(let reason): reason.rawValue
        case .end(let reason): reason.rawValue
        }
    }
}

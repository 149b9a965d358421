import Media

/// Something about a contribution that its operator should change, in words, with the cure.
package struct Advice: Sendable, Equatable {
    /// What is wrong; the raw value is for machines: an API field, a metric label.
    package enum Code: String, Sendable, CaseIterable {
        case formatNotPackaged = "format_not_packaged"
        case tooManyAudioTracks = "too_many_audio_tracks"
        case noKeyframe = "no_keyframe"
        case gopTooLong = "gop_too_long"
        case gopIrregular = "gop_irregular"
        case openGOP = "open_gop"
        case frameGaps = "frame_gaps"
        case unorderedTimestamps = "unordered_timestamps"
        case soundMissing = "sound_missing"
        case soundLate = "sound_late"
        case latencyTooShort = "latency_too_short"
        case lossNotRepaired = "loss_not_repaired"
        case kernelBufferTooSmall = "kernel_buffer_too_small"
        case damagedBeforeArrival = "damaged_before_arrival"
        case inputsDiffer = "inputs_differ"
        case clockDrift = "clock_drift"
        case serverTooSlow = "server_too_slow"
        case legDiffers = "leg_differs"
        case legCarriesOtherMedia = "leg_carries_other_media"
        case notTranscoded = "not_transcoded"
        case transcodingTooSlow = "transcoding_too_slow"
    }

    package let code: Code
    package let text: String

    package init(code: Code, text: String) {
        self.code = code
        self.text = text
    }
}

extension Advice {
    /// Why a track is not there to be watched.
    static func notPackaged(_ track: Track) -> Advice {
        switch track.format {
        case .video(let format) where format.codec == .jpegXS:
            Advice(
                code: .formatNotPackaged,
                text: """
                    JPEG XS cannot be watched over HLS: no browser decodes it. Send H.264, HEVC or AV1 \
                    as well.
                    """
            )
        case .video(let format):
            Advice(
                code: .formatNotPackaged,
                text: """
                    A second picture (\(format.codec.rawValue), \(format.width)x\(format.height)) is \
                    left out: one stream has one picture. Publish it under a name of its own.
                    """
            )
        case .audio(let format) where format.codec == .linearPCM:
            Advice(
                code: .formatNotPackaged,
                text: """
                    Linear PCM with \(format.sampleRate) Hz cannot be encoded here. Send it with 48000 Hz.
                    """
            )
        case .audio(let format):
            Advice(
                code: .formatNotPackaged,
                text: """
                    Sound with \(format.sampleRate) Hz and frames of \
                    \(format.samplesPerAccessUnit) samples cannot be carried over HLS. Send AAC with \
                    48000 Hz.
                    """
            )
        case .data(let format):
            Advice(
                code: .formatNotPackaged,
                text: "\(format.kind.rawValue) is recognised and not carried to viewers."
            )
        }
    }

    static func tooManyAudioTracks(_ count: Int, limit: Int) -> Advice {
        Advice(
            code: .tooManyAudioTracks,
            text: "\(count) sound tracks came and the first \(limit) are offered. Send fewer."
        )
    }

    package static let noKeyframe = Advice(
        code: .noKeyframe,
        text: """
            Pictures come, but no keyframe yet: nothing can be shown before one does. Have the encoder \
            send IDR frames at a fixed distance (ffmpeg: -g with the frames of two seconds; not \
            intra refresh).
            """
    )

    /// What the counts and lengths of a running stream show.
    static func about(
        _ statistics: PackagerStatistics,
        segmentTarget: Duration
    ) -> [Advice] {
        var advice: [Advice] = []
        let target = segmentTarget / .seconds(1)
        let frames = max(1, Int(((statistics.frameRate ?? 30) * target).rounded()))
        let cure = """
            Set the encoder's GOP to \(words(target)) s (ffmpeg: -g \(frames) -keyint_min \(frames) \
            -sc_threshold 0).
            """
        // Half a second of tolerance: GOPs that are meant to be as long as a segment.
        if let longest = statistics.longestGOP, longest.duration.seconds > target + 0.5 {
            let seconds = words(longest.duration.seconds)
            let effect =
                statistics.forcedCuts > 0
                ? "segments are cut where no player can start" : "segments get that long"
            advice.append(
                Advice(
                    code: .gopTooLong,
                    text:
                        "Keyframes come \(seconds) s apart: viewers wait to join, and \(effect). \(cure)"
                )
            )
        } else if statistics.isGOPIrregular, let shortest = statistics.shortestGOP,
            let longest = statistics.longestGOP
        {
            advice.append(
                Advice(
                    code: .gopIrregular,
                    text: """
                        Keyframes come at uneven distances, \(shortest.frames) to \(longest.frames) \
                        frames: segments differ in length. \(cure)
                        """
                )
            )
        }
        if statistics.hasOpenGOPs {
            advice.append(
                Advice(
                    code: .openGOP,
                    text: """
                        Pictures after a keyframe need the ones before it (open GOP): a viewer who joins \
                        there misses them. Close the GOPs (x264: open-gop=0, x265: no-open-gop=1).
                        """
                )
            )
        }
        advice += aboutTimestamps(statistics)
        return advice
    }

    private static func aboutTimestamps(_ statistics: PackagerStatistics) -> [Advice] {
        var advice: [Advice] = []
        if statistics.frameGaps > 0 {
            advice.append(
                Advice(
                    code: .frameGaps,
                    text: """
                        Pictures were missing \(statistics.frameGaps) times for longer than a part. Look \
                        for loss on the way (raise the SRT latency) or an encoder that cannot keep up.
                        """
                )
            )
        }
        if statistics.unorderedPictures > 0 {
            advice.append(
                Advice(
                    code: .unorderedTimestamps,
                    text: """
                        \(statistics.unorderedPictures) pictures had a decode time that was not after the \
                        one before. Have the muxer write increasing timestamps.
                        """
                )
            )
        }
        if statistics.silentFrames > 0 {
            advice.append(
                Advice(
                    code: .soundMissing,
                    text: """
                        Sound was missing: \(statistics.silentFrames) frames of silence stand for it. Look \
                        for loss on the way, or an encoder whose sound input stops.
                        """
                )
            )
        }
        if let lag = statistics.audioLag, lag.seconds > 0.5 {
            advice.append(
                Advice(
                    code: .soundLate,
                    text: """
                        Sound comes \(words(lag.seconds)) s after the picture it belongs to, and viewers \
                        wait for it. Mux it closer (ffmpeg: -pes_payload_size 0 -muxdelay 0).
                        """
                )
            )
        }
        return advice
    }

    /// One decimal, none when it is zero.
    static func words(_ value: Double) -> String {
        let tenths = Int((max(-1e9, min(value, 1e9)) * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }
}

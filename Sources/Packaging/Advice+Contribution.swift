/// What is wrong on the way of a contribution, which the packager does not see.
extension Advice {
    package static func latencyTooShort(neededMilliseconds: Int) -> Advice {
        Advice(
            code: .latencyTooShort,
            text: """
                Packets are lost, and the SRT latency is less than four round trips: what is sent again \
                comes too late. Raise the latency to \(neededMilliseconds) ms on the encoder or \
                ingestion.srt.latency, and connect again.
                """
        )
    }

    package static func lossNotRepaired(percent: Double) -> Advice {
        let share = percent < 0.1 ? "less than 0.1" : "up to \(words(percent))"
        return Advice(
            code: .lossNotRepaired,
            text: """
                SRT gives up packets that do not come back in time, \(share) % of them: viewers see it. \
                Raise the SRT latency, on the encoder or ingestion.srt.latency (ten round trips stand a \
                loss of 10 %), lower the encoder's bitrate, leave SRT more room to send again \
                (oheadbw), or take a better line.
                """
        )
    }

    package static func kernelBufferTooSmall(bytes: Int, wantedBytes: Int) -> Advice {
        Advice(
            code: .kernelBufferTooSmall,
            text: """
                The kernel of this server keeps \(bytes / 1_024) KiB of received packets, too little for \
                the bursts of this bitrate. Run sysctl -w net.core.rmem_max=\(wantedBytes) and restart \
                Mirror.
                """
        )
    }

    /// `input` sends `media`, and what is on air is something else.
    package static func inputsDiffer(_ input: String, _ media: String, onAir: String) -> Advice {
        Advice(
            code: .inputsDiffer,
            text: """
                \(input) sends \(media), and the input on air sends \(onAir): players set up their \
                decoders anew at each switch, and sound that one lacks is gone. Set both encoders alike.
                """
        )
    }

    package static func legDiffers(_ input: String) -> Advice {
        Advice(
            code: .legDiffers,
            text: """
                What \(input) sends is not found in what the other inputs send, packet by packet: it is no \
                reserve. Send the output of one multiplexer over both ways (not of two encoders; over \
                RTP, packets of one SSRC with the same numbers), or raise max_skew if one way is that much \
                longer.
                """
        )
    }

    package static func legCarriesOtherMedia(_ input: String) -> Advice {
        Advice(
            code: .legCarriesOtherMedia,
            text: """
                \(input) sends other than the inputs before it, and is left out: all must bring the same \
                MPEG transport stream, over SRT, UDP or RTP, or the same RTP packets, described alike. \
                Send the output of one encoder over both ways, or set mode: failover.
                """
        )
    }

    package static let damagedBeforeArrival = Advice(
        code: .damagedBeforeArrival,
        text: """
            Packets are missing in the transport stream, and SRT lost none of them: the damage is done \
            before Mirror. Look at the encoder's multiplexer, and at UDP or tuner links before the SRT \
            sender.
            """
    )

    package static func clockDrift(ppm: Double) -> Advice {
        let (pace, effect) =
            ppm > 0
            ? ("fast", "media piles up at the viewers")
            : ("slow", "viewers run out of media now and then")
        let perDay = words(ppm.magnitude * 86_400 / 1_000_000)
        return Advice(
            code: .clockDrift,
            text: """
                The source's clock is \(words(ppm.magnitude)) millionths \(pace) against this \
                server's, \(perDay) s a day: \(effect). Lock the encoder to a reference (genlock, PTP \
                or NTP), and see that this server's clock is kept by NTP.
                """
        )
    }

    package static func serverTooSlow(droppedAccessUnits: UInt64) -> Advice {
        Advice(
            code: .serverTooSlow,
            text: """
                This server cannot keep up: \(droppedAccessUnits) pictures and sound frames were left \
                out on the way to the viewers. Give it more CPU, or fewer or smaller streams.
                """
        )
    }
}

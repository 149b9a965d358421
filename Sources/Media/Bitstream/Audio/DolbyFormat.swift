import NIOCore

extension AudioFormat {
    init(ac3 frame: DolbySyncFrame.Traits) {
        // AC3SpecificBox. Source: ETSI TS 102 366, F.4.
        var writer = BitWriter()
        writer.write(frame.rateCode, bits: 2)
        writer.write(frame.bitstreamID, bits: 5)
        writer.write(frame.bitstreamMode, bits: 3)
        writer.write(frame.codingMode, bits: 3)
        writer.write(frame.hasLowFrequency)
        writer.write(frame.bitrateCode, bits: 5)
        writer.write(0, bits: 5)
        let channels = DolbyChannels([frame])
        self.init(
            codec: .ac3,
            codecString: "ac-3",
            sampleRate: frame.sampleRate,
            channels: channels.count,
            channelLayout: channels.layoutName,
            samplesPerAccessUnit: 1536,
            decoderConfiguration: writer.buffer
        )
    }

    /// Takes the frames of one access unit of `byteCount` bytes, in order; `first` begins them.
    init(eac3 frames: [DolbySyncFrame.Traits], _ first: DolbySyncFrame.Traits, byteCount: Int) {
        // A programme: an independent substream and those that depend on it, each taken once.
        var programmes: [[DolbySyncFrame.Traits]] = []
        for frame in frames {
            if frame.isDependent {
                guard let last = programmes.indices.last else { continue }
                let isKnown = programmes[last].contains {
                    $0.isDependent && $0.substream == frame.substream
                }
                if !isKnown { programmes[last].append(frame) }
            } else if frame.substream == programmes.count {
                programmes.append([frame])
            }
        }
        let complexity = frames.lazy.compactMap(\.objectComplexity).first
        let channels = DolbyChannels(programmes.first ?? [])
        self.init(
            codec: .eac3,
            codecString: "ec-3",
            profile: complexity == nil ? "" : "Dolby Atmos (joint object coding)",
            sampleRate: first.sampleRate,
            channels: channels.count,
            channelLayout: channels.layoutName,
            samplesPerAccessUnit: 1536,
            decoderConfiguration: Self.eac3Configuration(
                programmes,
                dataRate: byteCount * 8 * first.sampleRate / 1536 / 1000,
                objectComplexity: complexity
            )
        )
    }

    /// EC3SpecificBox.
    ///
    /// Source: ETSI TS 102 366, F.6; ETSI TS 103 420 for what follows it.
    private static func eac3Configuration(
        _ programmes: [[DolbySyncFrame.Traits]],
        dataRate: Int,
        objectComplexity: Int?
    ) -> ByteBuffer {
        var writer = BitWriter()
        writer.write(min(dataRate, 0x1FFF), bits: 13)
        writer.write(programmes.count - 1, bits: 3)
        for programme in programmes {
            guard let frame = programme.first else { continue }
            writer.write(frame.rateCode, bits: 2)
            writer.write(frame.bitstreamID, bits: 5)
            // reserved, asvc
            writer.write(0, bits: 2)
            writer.write(frame.bitstreamMode, bits: 3)
            writer.write(frame.codingMode, bits: 3)
            writer.write(frame.hasLowFrequency)
            writer.write(0, bits: 3)
            let dependents = programme.dropFirst()
            writer.write(min(dependents.count, 15), bits: 4)
            if dependents.isEmpty {
                writer.write(0, bits: 1)
            } else {
                writer.write(DolbyChannels(Array(dependents)).locationField, bits: 9)
            }
        }
        if let objectComplexity {
            writer.write(1, bits: 8)
            writer.write(objectComplexity, bits: 8)
        }
        return writer.buffer
    }
}

/// Loudspeakers of the substreams of a programme, as bits of `chanmap`.
///
/// Source: ETSI TS 102 366, Table E.1.4 (bit 0 is the highest of 16) and F.6 (`chan_loc`).
private struct DolbyChannels {
    private var locations = 0

    init(_ frames: [DolbySyncFrame.Traits]) {
        for frame in frames {
            locations |= frame.channelMap ?? Self.locations[frame.codingMode & 7]
            if frame.hasLowFrequency, frame.channelMap == nil { locations |= 1 }
        }
    }

    var count: Int {
        locations.nonzeroBitCount + (locations & Self.pairs).nonzeroBitCount
    }

    var layoutName: String {
        let lowFrequency = (locations & 0b11).nonzeroBitCount
        switch (count, lowFrequency) {
        case (1, 0): return "mono"
        case (2, 0): return "stereo"
        default: return "\(count - lowFrequency).\(lowFrequency)"
        }
    }

    /// `chan_loc`, lowest bit first: Lc/Rc, Lrs/Rrs, Cs, Ts, Lsd/Rsd, Lw/Rw, Lvh/Rvh, Cvh, LFE2.
    var locationField: Int {
        let bitsOfChannelMap = [10, 9, 8, 7, 6, 5, 4, 3, 1]
        return bitsOfChannelMap.enumerated().reduce(0) { field, entry in
            field | (locations >> entry.element & 1) << entry.offset
        }
    }

    /// Of each `acmod`: L 0x8000, C 0x4000, R 0x2000, Ls 0x1000, Rs 0x0800, Cs 0x0100.
    private static let locations = [
        0xA000, 0x4000, 0xA000, 0xE000, 0xA100, 0xE100, 0xB800, 0xF800,
    ]
    /// Bits that stand for two loudspeakers.
    private static let pairs = 0x0674
}

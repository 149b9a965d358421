import NIOCore

extension VideoFormat {
    /// The format that a sequence parameter set describes.
    ///
    /// `sequenceBytes` and `pictureBytes` are that set, and the picture parameter sets that refer to
    /// it, as they were sent.
    init(
        _ sequence: H264SequenceParameterSet,
        sequenceBytes: [UInt8],
        pictureBytes: [[UInt8]]
    ) {
        let usability = sequence.usability
        var frameRate: Rational?
        if let timing = usability.timing, usability.hasFixedFrameRate {
            // A tick is a field (E.2.1, num_units_in_tick).
            frameRate = Rational(
                frameRate: UInt64(timing.timeScale),
                over: 2 * UInt64(timing.unitsInTick)
            )
        }
        self.init(
            codec: .h264,
            codecString: "avc1."
                + [sequence.profileIDC, sequence.constraints, sequence.levelIDC].hexadecimal,
            profile: sequence.profileName,
            level: sequence.levelName,
            width: sequence.size.width,
            height: sequence.size.height,
            sampleAspectRatio: usability.sampleAspectRatio,
            frameRate: frameRate,
            bitDepth: max(sequence.bitDepthLuma, sequence.bitDepthChroma),
            chroma: sequence.chroma,
            colour: usability.colour,
            isInterlaced: !sequence.isFrameOnly,
            reorderDepth: sequence.reorderDepth,
            decoderConfiguration: sequence.decoderConfiguration(
                sequenceBytes: sequenceBytes,
                pictureBytes: pictureBytes
            )
        )
    }
}

extension H264SequenceParameterSet {
    private func hasConstraint(_ index: Int) -> Bool {
        constraints & (0x80 >> UInt8(index)) != 0
    }

    fileprivate var reorderDepth: Int? {
        if case .decodingOrder = pictureOrder { return 0 }
        return usability.maximumReorderedPictures
    }

    /// Source: ITU-T H.264 A.2.
    fileprivate var profileName: String {
        switch profileIDC {
        case 66: hasConstraint(1) ? "Constrained Baseline" : "Baseline"
        case 77: "Main"
        case 88: "Extended"
        case 100:
            switch (hasConstraint(4), hasConstraint(5)) {
            case (true, true): "Constrained High"
            case (true, false): "Progressive High"
            default: "High"
            }
        case 110: hasConstraint(3) ? "High 10 Intra" : "High 10"
        case 122: hasConstraint(3) ? "High 4:2:2 Intra" : "High 4:2:2"
        case 244: hasConstraint(3) ? "High 4:4:4 Intra" : "High 4:4:4 Predictive"
        case 44: "CAVLC 4:4:4 Intra"
        case 118: "Multiview High"
        case 128: "Stereo High"
        default: "profile_idc \(profileIDC)"
        }
    }

    /// Source: ITU-T H.264 A.3, and level 1b as A.3.1 and A.3.2 signal it.
    fileprivate var levelName: String {
        let isOlderProfile = profileIDC == 66 || profileIDC == 77 || profileIDC == 88
        if levelIDC == 9 || (levelIDC == 11 && isOlderProfile && hasConstraint(3)) { return "1b" }
        return "\(levelIDC / 10).\(levelIDC % 10)"
    }

    /// AVCDecoderConfigurationRecord.
    ///
    /// Source: ISO/IEC 14496-15, 5.3.3.1.
    fileprivate func decoderConfiguration(
        sequenceBytes: [UInt8],
        pictureBytes: [[UInt8]]
    ) -> ByteBuffer {
        var record = ByteBuffer()
        record.writeBytes([1, profileIDC, constraints, levelIDC, 0xFC | 3, 0xE0 | 1])
        record.writeParameterSet(sequenceBytes)
        let pictureBytes = pictureBytes.prefix(255)
        record.writeInteger(UInt8(pictureBytes.count))
        for bytes in pictureBytes { record.writeParameterSet(bytes) }
        switch profileIDC {
        case 66, 77, 88:
            break
        default:
            let chromaFormat: UInt8 =
                switch chroma {
                case .monochrome: 0
                case .yuv420: 1
                case .yuv422: 2
                case .yuv444: 3
                }
            record.writeBytes([
                0xFC | chromaFormat, 0xF8 | UInt8(bitDepthLuma - 8),
                0xF8 | UInt8(bitDepthChroma - 8), 0,
            ])
        }
        return record
    }
}

extension ByteBuffer {
    /// A parameter set behind its 16-bit length, as `avcC` and `hvcC` hold them.
    mutating func writeParameterSet(_ bytes: [UInt8]) {
        writeInteger(UInt16(truncatingIfNeeded: bytes.count))
        writeBytes(bytes)
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits a byte.
    var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

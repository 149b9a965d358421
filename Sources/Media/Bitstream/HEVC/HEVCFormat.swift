import NIOCore

/// The parameter sets one HEVC sequence needs, as they were sent, and what they say.
struct HEVCParameterSets {
    let video: ParameterSetTable<HEVCVideoParameterSet>.Entry?
    let sequence: ParameterSetTable<HEVCSequenceParameterSet>.Entry
    let pictures: [ParameterSetTable<HEVCPictureParameterSet>.Entry]

    /// HEVCDecoderConfigurationRecord, its arrays complete (`hvc1`).
    ///
    /// Source: ISO/IEC 14496-15, 8.3.3.1.
    var decoderConfiguration: ByteBuffer {
        let sps = sequence.parsed
        let profile = sps.profileTierLevel
        var record = ByteBuffer()
        record.writeInteger(UInt8(1))
        record.writeInteger(
            profile.profileSpace << 6 | (profile.isHighTier ? 0x20 : 0) | profile.profileIDC
        )
        record.writeInteger(profile.compatibilityFlags)
        record.writeBytes(profile.constraints)
        record.writeInteger(profile.levelIDC)
        record.writeInteger(0xF000 | UInt16(sps.usability.minimumSpatialSegmentation))
        // parallelismType 0: unknown.
        record.writeInteger(UInt8(0xFC))
        let chromaFormat: UInt8 =
            switch sps.chroma {
            case .monochrome: 0
            case .yuv420: 1
            case .yuv422: 2
            case .yuv444: 3
            }
        record.writeInteger(0xFC | chromaFormat)
        record.writeInteger(0xF8 | UInt8(sps.bitDepthLuma - 8))
        record.writeInteger(0xF8 | UInt8(sps.bitDepthChroma - 8))
        // avgFrameRate 0: unspecified.
        record.writeInteger(UInt16(0))
        record.writeInteger(
            UInt8(sps.highestSubLayer + 1) << 3 | (sps.isTemporalIDNesting ? 4 : 0) | 3
        )
        let arrays: [(type: UInt8, sets: [[UInt8]])] = [
            (HEVCUnitType.videoParameterSet, video.map { [$0.bytes] } ?? []),
            (HEVCUnitType.sequenceParameterSet, [sequence.bytes]),
            (HEVCUnitType.pictureParameterSet, pictures.map(\.bytes)),
        ]
        record.writeInteger(UInt8(arrays.count))
        for array in arrays {
            // array_completeness: none of them is in the samples.
            record.writeInteger(0x80 | array.type)
            record.writeInteger(UInt16(array.sets.count))
            for bytes in array.sets { record.writeParameterSet(bytes) }
        }
        return record
    }

    var format: VideoFormat {
        let sps = sequence.parsed
        let usability = sps.usability
        var frameRate: Rational?
        if let timing = usability.timing ?? video?.parsed.timing {
            // A tick is a picture (E.3.1), and a picture of a field sequence is a field.
            let pictures: UInt64 = usability.isFieldSequence ? 2 : 1
            frameRate = Rational(
                frameRate: UInt64(timing.timeScale),
                over: pictures * UInt64(timing.unitsInTick)
            )
        }
        return VideoFormat(
            codec: .hevc,
            codecString: sps.profileTierLevel.codecString,
            profile: sps.profileTierLevel.profileName,
            level: sps.profileTierLevel.levelName,
            width: sps.size.width,
            height: sps.size.height,
            sampleAspectRatio: usability.sampleAspectRatio,
            frameRate: frameRate,
            bitDepth: max(sps.bitDepthLuma, sps.bitDepthChroma),
            chroma: sps.chroma,
            colour: usability.colour,
            isInterlaced: usability.isFieldSequence || sps.profileTierLevel.isInterlacedSource,
            reorderDepth: sps.maximumReorderedPictures,
            decoderConfiguration: decoderConfiguration
        )
    }
}

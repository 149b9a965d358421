import NIOCore

extension AV1SequenceHeader {
    private var chroma: VideoFormat.ChromaFormat {
        switch (isMonochrome, subsampling.x, subsampling.y) {
        case (true, _, _): .monochrome
        case (_, true, true): .yuv420
        case (_, true, false): .yuv422
        default: .yuv444
        }
    }

    /// The format, with the sequence header OBU (which has its size field) as its configuration.
    func format(headerUnit: ByteBuffer) -> VideoFormat {
        let levelName =
            levelIndex == 31 ? "Maximum parameters" : "\(2 + levelIndex / 4).\(levelIndex % 4)"
        return VideoFormat(
            codec: .av1,
            codecString: codecString,
            profile: ["Main", "High", "Professional"][profile],
            level: isHighTier ? levelName + " (High tier)" : levelName,
            width: width,
            height: height,
            frameRate: frameRate,
            bitDepth: bitDepth,
            chroma: chroma,
            colour: colour,
            // A temporal unit shows exactly one picture.
            reorderDepth: 0,
            decoderConfiguration: decoderConfiguration(headerUnit: headerUnit)
        )
    }

    /// `av01.0.04M.08`; the optional fields follow when one differs from its default.
    ///
    /// Source: AV1 Codec ISO Media File Format Binding, 5.
    private var codecString: String {
        let level = Self.twoDigits(levelIndex) + (isHighTier ? "H" : "M")
        let text = "av01.\(profile).\(level).\(Self.twoDigits(bitDepth))"
        let colour = self.colour
        let isDefaultColour =
            colour == nil
            || colour
                == VideoFormat.Colour(primaries: 1, transfer: 1, matrix: 1, isFullRange: false)
        if isDefaultColour, chroma == .yuv420 { return text }
        let chromaDigits =
            "\(subsampling.x ? 1 : 0)\(subsampling.y ? 1 : 0)\(chromaSamplePosition)"
        let codePoints = [colour?.primaries, colour?.transfer, colour?.matrix]
            .map { Self.twoDigits(Int($0 ?? 1)) }.joined(separator: ".")
        return text + ".\(isMonochrome ? 1 : 0).\(chromaDigits).\(codePoints)"
            + ".\(colour?.isFullRange == true ? 1 : 0)"
    }

    /// AV1CodecConfigurationRecord.
    ///
    /// Source: AV1 Codec ISO Media File Format Binding, 2.3.3.
    private func decoderConfiguration(headerUnit: ByteBuffer) -> ByteBuffer {
        var writer = BitWriter()
        // marker, version
        writer.write(0x81, bits: 8)
        writer.write(profile, bits: 3)
        writer.write(levelIndex, bits: 5)
        writer.write(isHighTier)
        writer.write(bitDepth > 8)
        writer.write(bitDepth == 12)
        writer.write(isMonochrome)
        writer.write(subsampling.x)
        writer.write(subsampling.y)
        writer.write(chromaSamplePosition, bits: 2)
        // No initial presentation delay.
        writer.write(0, bits: 8)
        var record = writer.buffer
        record.writeImmutableBuffer(headerUnit)
        return record
    }

    private static func twoDigits(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}

/// The picture header of a JPEG XS codestream.
///
/// Source: ISO/IEC 21122-1 Annex A (markers), ISO/IEC 21122-2 (profiles, levels, sublevels).
struct JPEGXSCodestreamHeader: Sendable, Hashable {
    let profile: UInt16
    let level: UInt16
    let width: Int
    let height: Int
    let bitDepth: Int
    let chroma: VideoFormat.ChromaFormat

    private enum Marker {
        static let startOfCodestream: UInt32 = 0xFF10
        static let pictureHeader: UInt32 = 0xFF12
        static let componentTable: UInt32 = 0xFF13
        static let sliceHeader: UInt32 = 0xFF20
    }

    /// Marker segments before the first slice; a stream has about ten.
    private static let segmentLimit = 64

    init(_ codestream: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(codestream.extracting(first: min(codestream.count, 4096)))
        guard try reader.bits(16) == Marker.startOfCodestream else { throw .invalid }
        var picture: Picture?
        for _ in 0..<Self.segmentLimit {
            let marker = try reader.bits(16)
            guard marker >= 0xFF00, marker != Marker.sliceHeader else { throw .invalid }
            let end = reader.position + 8 * (try reader.int(16))
            switch marker {
            case Marker.pictureHeader:
                picture = try Picture(&reader)
            case Marker.componentTable:
                guard let picture else { throw .invalid }
                let components = try Self.readComponents(&reader, count: picture.componentCount)
                profile = picture.profile
                level = picture.level
                width = picture.width
                height = picture.height
                bitDepth = components.bitDepth
                chroma = components.chroma
                return
            default:
                break
            }
            try reader.skip(end - reader.position)
        }
        throw .invalid
    }

    private struct Picture {
        let profile: UInt16
        let level: UInt16
        let width: Int
        let height: Int
        let componentCount: Int

        init(_ reader: inout BitReader) throws(BitstreamError) {
            // Lcod
            try reader.skip(32)
            profile = UInt16(try reader.bits(16))
            level = UInt16(try reader.bits(16))
            width = try reader.int(16)
            height = try reader.int(16)
            // Cw, Hsl
            try reader.skip(32)
            componentCount = try reader.int(8)
            guard width > 0, width <= PictureSize.limit, height > 0, height <= PictureSize.limit,
                (1...8).contains(componentCount)
            else { throw .invalid }
        }
    }

    private static func readComponents(
        _ reader: inout BitReader,
        count: Int
    ) throws(BitstreamError) -> (bitDepth: Int, chroma: VideoFormat.ChromaFormat) {
        var components: [(bitDepth: Int, horizontal: Int, vertical: Int)] = []
        for _ in 0..<count {
            components.append((try reader.int(8), try reader.int(4), try reader.int(4)))
        }
        let bitDepth = components[0].bitDepth
        guard (1...16).contains(bitDepth) else { throw .invalid }
        guard count >= 3 else { return (bitDepth, .monochrome) }
        switch (components[1].horizontal, components[1].vertical) {
        case (2, 2): return (bitDepth, .yuv420)
        case (2, _): return (bitDepth, .yuv422)
        default: return (bitDepth, .yuv444)
        }
    }

    var profileName: String {
        Self.profileNames[profile] ?? "Ppih 0x" + Self.bytes(of: profile).hexadecimal
    }

    var levelName: String {
        let level = Self.levelNames[UInt8(self.level >> 8)]
        let sublevel = Self.sublevelNames[UInt8(self.level & 0xFF)]
        guard let level, let sublevel else {
            return "Plev 0x" + Self.bytes(of: self.level).hexadecimal
        }
        return "\(level), \(sublevel)"
    }

    private static func bytes(of value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(value & 0xFF)]
    }

    private static let profileNames: [UInt16: String] = [
        0x0000: "Unrestricted",
        0x1500: "Light 422.10",
        0x1A00: "Light 444.12",
        0x2500: "Light-Subline 422.10",
        0x3240: "Main 420.12",
        0x3540: "Main 422.10",
        0x3A40: "Main 444.12",
        0x3E40: "Main 4444.12",
        0x4240: "High 420.12",
        0x4A40: "High 444.12",
        0x4E40: "High 4444.12",
        0x6EC0: "MLS.12",
        0x9300: "LightBayer",
        0xB340: "MainBayer",
        0xC340: "HighBayer",
    ]

    private static let levelNames: [UInt8: String] = [
        0x00: "Unrestricted", 0x04: "1k-1", 0x10: "2k-1", 0x20: "4k-1", 0x24: "4k-2",
        0x28: "4k-3", 0x30: "8k-1", 0x34: "8k-2", 0x38: "8k-3", 0x40: "10k-1",
    ]

    private static let sublevelNames: [UInt8: String] = [
        0x00: "Unrestricted", 0x80: "Full", 0x03: "2bpp", 0x04: "3bpp", 0x06: "4bpp",
        0x08: "6bpp", 0x0C: "9bpp", 0x10: "12bpp",
    ]
}

import CFFmpeg

/// A tone mapping of 10-bit samples to 8-bit ones, as a table of three dimensions.
///
/// Between its nodes samples are taken to lie on straight lines. The samples of a picture that share their colour
/// share the work for it, so a sample takes 8 multiplications, whatever the mapping is.
///
/// In:     4:2:0, 10 bits in 16, limited range, BT.2020 with non-constant luminance.
/// Out:    4:2:0, 8 bits, limited range, BT.709.
/// Bound:  1.6 MB, made in some milliseconds.
///
/// Source: ITU-R BT.2100-2, table 6; BT.709-6, 3.
struct ToneTable {
    /// Along Cb, Cr and Y, each 16 codes from the next.
    private static let nodes = 65

    /// By Cb, Cr and Y; 256 times the codes.
    private var luma: [UInt16] = []
    /// The same; Cb, then Cr.
    private var chroma: [UInt16] = []

    init(_ mapping: ToneMapping) {
        luma.reserveCapacity(Self.nodes * Self.nodes * Self.nodes)
        chroma.reserveCapacity(2 * Self.nodes * Self.nodes * Self.nodes)
        for cb in 0..<Self.nodes {
            for cr in 0..<Self.nodes {
                for light in 0..<Self.nodes { append(cb * 16, cr * 16, light * 16, mapping) }
            }
        }
    }

    private mutating func append(_ cb: Int, _ cr: Int, _ luma: Int, _ mapping: ToneMapping) {
        let y = Float(luma - 64) / 876
        let (b, r) = (Float(cb - 512) / 896, Float(cr - 512) / 896)
        func code(_ signal: Float) -> UInt16 { UInt16(max(0, min(1, signal)) * 65_535) }
        let mapped = mapping.map(
            (
                code(y + 1.4746 * r),
                code(y - 0.164_553 * b - 0.571_353 * r),
                code(y + 1.8814 * b)
            )
        )
        let red = Float(mapped.red) / 65_535
        let green = Float(mapped.green) / 65_535
        let blue = Float(mapped.blue) / 65_535
        let light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        self.luma.append(UInt16(256 * (16 + 219 * light)))
        chroma.append(UInt16(256 * (128 + 224 * (blue - light) / 1.8556)))
        chroma.append(UInt16(256 * (128 + 224 * (red - light) / 1.5748)))
    }

    /// Maps a picture into another of the same size, which is even.
    func map(_ source: AVFrame, into result: AVFrame) {
        guard let fromY = source.data.0, let fromB = source.data.1, let fromR = source.data.2,
            let toY = result.data.0, let toB = result.data.1, let toR = result.data.2
        else { return }
        let width = Int(min(source.width, result.width)) / 2
        let height = Int(min(source.height, result.height)) / 2
        luma.withUnsafeBufferPointer { luma in
            chroma.withUnsafeBufferPointer { chroma in
                guard let luma = luma.baseAddress, let chroma = chroma.baseAddress else { return }
                for row in 0..<height {
                    let upper = UnsafeRawPointer(fromY + 2 * row * Int(source.linesize.0))
                    let above = toY + 2 * row * Int(result.linesize.0)
                    Row(
                        luma: luma,
                        chroma: chroma,
                        upper: upper.assumingMemoryBound(to: UInt16.self),
                        lower: (upper + Int(source.linesize.0))
                            .assumingMemoryBound(to: UInt16.self),
                        blue: UnsafeRawPointer(fromB + row * Int(source.linesize.1))
                            .assumingMemoryBound(to: UInt16.self),
                        red: UnsafeRawPointer(fromR + row * Int(source.linesize.2))
                            .assumingMemoryBound(to: UInt16.self)
                    ).map(
                        width,
                        (above, above + Int(result.linesize.0)),
                        toB + row * Int(result.linesize.1),
                        toR + row * Int(result.linesize.2)
                    )
                }
            }
        }
    }

    /// Two lines of samples and the one of their colours.
    private struct Row {
        let luma: UnsafePointer<UInt16>
        let chroma: UnsafePointer<UInt16>
        let upper: UnsafePointer<UInt16>
        let lower: UnsafePointer<UInt16>
        let blue: UnsafePointer<UInt16>
        let red: UnsafePointer<UInt16>

        func map(
            _ width: Int,
            _ lines: (upper: UnsafeMutablePointer<UInt8>, lower: UnsafeMutablePointer<UInt8>),
            _ toBlue: UnsafeMutablePointer<UInt8>,
            _ toRed: UnsafeMutablePointer<UInt8>
        ) {
            for place in 0..<width {
                let cell = Cell(blue: blue[place], red: red[place])
                let (first, second) = (2 &* place, 2 &* place &+ 1)
                let samples = (upper[first], upper[second], lower[first], lower[second])
                lines.upper[first] = cell.mix(luma, samples.0)
                lines.upper[second] = cell.mix(luma, samples.1)
                lines.lower[first] = cell.mix(luma, samples.2)
                lines.lower[second] = cell.mix(luma, samples.3)
                let sum = samples.0 &+ samples.1 &+ samples.2 &+ samples.3
                toBlue[place] = cell.mix(chroma, sum >> 2, each: 2)
                toRed[place] = cell.mix(chroma + 1, sum >> 2, each: 2)
            }
        }
    }

    /// The four nodes around a colour, and the weight of each; weights make 256.
    private struct Cell {
        private let start: Int
        private let weights: (UInt32, UInt32, UInt32, UInt32)

        @inline(__always)
        init(blue: UInt16, red: UInt16) {
            let (blue, red) = (UInt32(blue & 1_023), UInt32(red & 1_023))
            let (b, r) = (blue & 15, red & 15)
            start = (Int(blue >> 4) &* ToneTable.nodes &+ Int(red >> 4)) &* ToneTable.nodes
            weights = ((16 &- b) &* (16 &- r), (16 &- b) &* r, b &* (16 &- r), b &* r)
        }

        /// What a table holds for a sample of this colour.
        @inline(__always)
        func mix(_ table: UnsafePointer<UInt16>, _ sample: UInt16, each count: Int = 1) -> UInt8 {
            let (index, part) = (Int(sample >> 4 & 63), UInt32(sample & 15))
            let node = table + (start &+ index) &* count
            let (lower, upper) = (weigh(node, count), weigh(node + count, count))
            return UInt8(
                truncatingIfNeeded: (lower &* (16 &- part) &+ upper &* part &+ 2_048) >> 12
            )
        }

        @inline(__always)
        private func weigh(_ node: UnsafePointer<UInt16>, _ count: Int) -> UInt32 {
            let (right, below) = (
                ToneTable.nodes &* count, ToneTable.nodes &* ToneTable.nodes &* count
            )
            return
                (UInt32(node[0]) &* weights.0 &+ UInt32(node[right]) &* weights.1
                &+ UInt32(node[below]) &* weights.2 &+ UInt32(node[below &+ right]) &* weights.3)
                >> 8
        }
    }
}

import Foundation
import Media
import NIOCore
import Processing
import TestSupport
import Testing

/// Sizes of a source of high dynamic range are of standard range, and show what it shows.
@Suite struct LadderColourTests {
    /// Y, Cb and Cr of 10 bits.
    private typealias Patch = (y: Int, cb: Int, cr: Int)

    private static let greys = [64, 200, 330, 440].map { Patch($0, 512, 512) }
    /// Reference white, which is nearly white; 1,000 cd/m² and more, which is whiter; and colours.
    private static let patches: [String: [Patch]] = [
        "smpte2084": greys + [(572, 512, 512), (723, 512, 512), (420, 440, 610), (450, 590, 470)],
        "arib-std-b67": greys + [
            (721, 512, 512), (860, 512, 512), (420, 440, 610), (500, 600, 450),
        ],
    ]

    @Test(arguments: ["smpte2084", "arib-std-b67"])
    func highDynamicRangeIsBroughtIntoStandardRange(transfer: String) async throws {
        let patches = try #require(Self.patches[transfer])
        try await withFolder { folder in
            let file = try await Self.clip(patches, transfer, in: folder)
            var configuration = TranscodingConfiguration.rungs([(640, 360), (320, 180)])
            configuration.outputFormats[0].bitsPerSecond = 8_000_000
            configuration.outputFormats[1].bitsPerSecond = 4_000_000
            let run = try await LadderRun(file, configuration)
            #expect(run.plan.rungs.count == 2)
            for rung in run.plan.rungs {
                let format = try #require(run.formats(of: rung.name).first)
                #expect(format.dynamicRange == .sdr && format.bitDepth == 8)
                let bt709 = VideoFormat.Colour(
                    primaries: 1,
                    transfer: 1,
                    matrix: 1,
                    isFullRange: false
                )
                #expect(format.colour == bt709)
                let count = run.sources.count
                try await LadderTranscoderTests.expectPlayable(run, rung.name, count, in: folder)
                let result = folder.appending(path: "\(rung.name).mp4")
                let shown = try await ExternalProcess.run(
                    "ffprobe",
                    ["-v", "error", "-show_frames", "-show_streams", result.path]
                )
                #expect(!shown.text.contains("Mastering") && !shown.text.contains("light level"))
                let seen = try await Self.colours(of: result, rung.width, rung.height)
                for (patch, colour) in zip(patches, seen) {
                    let due = Self.mapped(patch, isPQ: transfer == "smpte2084")
                    let worst = zip(colour, due.codes).map { abs(Double($0) - $1) }.max() ?? 255
                    let tolerance: Double = due.isShown ? 3 : 7
                    #expect(worst < tolerance, "\(rung.name), \(patch): \(colour), not \(due)")
                }
                // What ITU-R BT.2408 calls reference white, and what is brighter.
                #expect((222...232).contains(seen[4][0]) && (230...235).contains(seen[5][0]))
            }
        }
    }

    /// What has no way to BT.709 is refused in words.
    @Test(arguments: [UInt8(10), 14])
    func coloursThatAreNotUnderstoodAreRefused(matrix: UInt8) async throws {
        var format = VideoFormat(
            codec: .hevc,
            codecString: "",
            profile: "",
            level: "",
            width: 1_920,
            height: 1_080,
            decoderConfiguration: ByteBuffer()
        )
        format.colour = .init(primaries: 9, transfer: 16, matrix: matrix, isFullRange: false)
        let plan = LadderPlan(.rungs([(640, 360)]), for: format)
        #expect(plan.rungs.isEmpty && plan.refusal?.isEmpty == false)
    }

    private static func clip(
        _ patches: [Patch],
        _ transfer: String,
        in folder: URL
    ) async throws -> URL {
        func bands(_ width: Int, _ code: (Patch) -> Int) -> String {
            patches.indices.dropLast().reversed().reduce("\(code(patches[patches.count - 1]))") {
                "if(lt(X,\(width * ($1 + 1))),\(code(patches[$1])),\($0))"
            }
        }
        let file = folder.appending(path: "source.ts")
        let light = "master-display=G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)"
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i",
                "color=black:s=640x360:r=25:d=1,format=yuv420p10le,geq=lum='\(bands(80, \.y))'"
                    + ":cb='\(bands(40, \.cb))':cr='\(bands(40, \.cr))'",
                "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                "log-level=none:lossless=1:colorprim=bt2020:transfer=\(transfer):"
                    + "colormatrix=bt2020nc:\(light)L(10000000,50):max-cll=1000,400",
                file.path,
            ]
        )
        return file
    }

    /// Y, Cb and Cr in the middle of each patch, in a late picture.
    private static func colours(
        of file: URL,
        _ width: Int,
        _ height: Int
    ) async throws -> [[Int]] {
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-i", file.path, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
        )
        let size = width * height * 3 / 2
        let picture = [UInt8](shown.output.suffix(size))
        try #require(picture.count == size)
        return (0..<8).map { index in
            let (x, y) = ((2 * index + 1) * width / 16, height / 2)
            let chroma = width * height + y / 2 * width / 2 + x / 2
            return [y * width + x, chroma, chroma + width * height / 4].map { Int(picture[$0]) }
        }
    }

    /// The same in numbers of twice the precision, without tables.
    ///
    /// ITU-R BT.2100-2, tables 4 to 6; BT.2087-0; BT.709-6.
    /// `isShown`: BT.709 has the colour, and not only just. What it has not is cut off at its edge, where straight
    /// lines of a table are further from the truth.
    private static func mapped(
        _ patch: Patch,
        isPQ: Bool
    ) -> (codes: [Double], isShown: Bool) {
        let y = Double(patch.y - 64) / 876
        let (b, r) = (Double(patch.cb - 512) / 896, Double(patch.cr - 512) / 896)
        let signals = [
            y + 1.4746 * r, y - 0.0593 * 1.8814 / 0.678 * b - 0.2627 * 1.4746 / 0.678 * r,
            y + 1.8814 * b,
        ]
        let light = signals.map { signal -> Double in
            let signal = min(max(signal, 0), 1)
            if isPQ {
                let power = pow(signal, 32 / 2_523)
                let ratio = max(0, power - 3_424 / 4_096) / (2_413 / 128 - 2_392 / 128 * power)
                return pow(ratio, 8_192 / 1_305) * 10_000 / 203
            }
            let scene =
                signal <= 0.5
                ? signal * signal / 3
                : (exp((signal - 0.559_910_73) / 0.178_832_77) + 0.284_668_92) / 12
            return scene / 0.265
        }
        let matrix = [
            [1.660_491, -0.587_641, -0.072_850], [-0.124_550, 1.132_900, -0.008_349],
            [-0.018_151, -0.100_579, 1.118_730],
        ]
        let exact = matrix.map { row in zip(row, light).map(*).reduce(0, +) }
        let linear = exact.map { max(0, $0) }
        let peak = linear.max() ?? 0
        let scale = peak > 0.75 ? (1 - 0.25 * exp((0.75 - peak) / 0.25)) / peak : 1
        let coded = linear.map { pow($0 * scale, 1 / 2.4) }
        let luma = 0.2126 * coded[0] + 0.7152 * coded[1] + 0.0722 * coded[2]
        let codes = [
            16 + 219 * luma, 128 + 224 * (coded[2] - luma) / 1.8556,
            128 + 224 * (coded[0] - luma) / 1.5748,
        ]
        return (codes, exact.allSatisfy { $0 > 0.02 })
    }
}

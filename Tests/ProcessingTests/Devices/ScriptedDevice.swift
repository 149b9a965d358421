import Glibc
import Media
import NIOCore
import Processing
import Synchronization

/// A card made of the CPU's tools that fails when it is told to.
final class ScriptedDevice: TranscodingDevice {
    enum Tool: Sendable {
        case decoder, scaler, encoder
    }

    /// What becomes of a call; `count` are those before it, of the same tool of any ladder.
    typealias Script = @Sendable (Tool, _ isOpening: Bool, _ count: Int) -> FFmpegError?

    /// As FFmpeg says it of NVENC.
    static let full = FFmpegError(operation: "OpenEncodeSessionEx", code: -ENOMEM)
    static let broken = FFmpegError(operation: "cuCtxSynchronize", code: -EIO)

    let name: String
    let model = "Scripted"
    private let hasEncoders: Bool
    private let script: Script
    /// By tool: opened, used.
    private let calls = Mutex<[Tool: (opened: Int, used: Int)]>([:])

    /// Without encoders of its own it has the CPU's.
    init(
        _ name: String = "card-0",
        hasEncoders: Bool = true,
        _ script: @escaping Script = { _, _, _ in nil }
    ) {
        self.name = name
        self.hasEncoders = hasEncoders
        self.script = script
    }

    func uses(of tool: Tool) -> Int { calls.withLock { $0[tool]?.used ?? 0 } }

    fileprivate func play(_ tool: Tool, isOpening: Bool = false) throws(FFmpegError) {
        let count = calls.withLock { calls in
            defer {
                if isOpening {
                    calls[tool, default: (0, 0)].opened += 1
                } else {
                    calls[tool, default: (0, 0)].used += 1
                }
            }
            let count = calls[tool, default: (0, 0)]
            return isOpening ? count.opened : count.used
        }
        if let error = script(tool, isOpening, count) { throw error }
    }

    func makeDecoder(of format: VideoFormat) throws(FFmpegError) -> any PictureDecoding {
        try play(.decoder, isOpening: true)
        return Decoder(device: self, tool: try CPUDevice.shared.makeDecoder(of: format))
    }

    func makeScaler(
        from picture: PictureFrame,
        of source: VideoFormat?,
        to rung: LadderRung
    ) throws(FFmpegError) -> (any PictureScaling)? {
        try play(.scaler, isOpening: true)
        let tool = try CPUDevice.shared.makeScaler(from: picture, of: source, to: rung)
        return tool.map { Scaler(device: self, tool: $0) }
    }

    func makeEncoder(
        _ terms: EncodingTerms,
        for picture: PictureFrame
    ) throws(FFmpegError) -> any PictureEncoding {
        try play(.encoder, isOpening: true)
        var own = terms
        // Other parameter sets than those of the CPU, as a card's encoder has.
        own.colour = VideoFormat.Colour(primaries: 5, transfer: 6, matrix: 5, isFullRange: false)
        let tool = try CPUDevice.shared.makeEncoder(own, for: picture)
        return Encoder(isOnDevice: hasEncoders, device: self, tool: tool)
    }

    private struct Decoder: PictureDecoding {
        let device: ScriptedDevice
        let tool: any PictureDecoding

        func decode(
            _ payload: ByteBuffer?,
            at time: Int64,
            _ body: (PictureFrame, Int64) throws(FFmpegError) -> Void
        ) throws(FFmpegError) {
            try device.play(.decoder)
            try tool.decode(payload, at: time, body)
        }

        var frameRate: Double { tool.frameRate }

        func restart() { tool.restart() }
    }

    private struct Scaler: PictureScaling {
        let device: ScriptedDevice
        let tool: any PictureScaling

        func scale(_ source: PictureFrame) throws(FFmpegError) -> PictureFrame {
            try device.play(.scaler)
            return try tool.scale(source)
        }
    }

    private struct Encoder: PictureEncoding {
        let isOnDevice: Bool
        let device: ScriptedDevice
        let tool: any PictureEncoding

        func encode(
            _ picture: PictureFrame?,
            index: Int,
            asKeyframe: Bool
        ) throws(FFmpegError) -> [ByteBuffer] {
            try device.play(.encoder)
            return try tool.encode(picture, index: index, asKeyframe: asKeyframe)
        }
    }
}

import CFFmpeg
package import Media
import NIOCore

/// An NVIDIA card: NVDEC decodes, CUDA scales and NVENC encodes, and pictures stay in the card's memory.
///
/// Where it has no NVENC for a codec (data-centre cards have none at all, and FFmpeg before 6 none for
/// AV1), pictures come down to the CPU in the size of the rung and are encoded there.
/// Interlaced and HDR pictures are the CPU's: what makes them progressive, and SDR, works there.
package final class NVIDIADevice: TranscodingDevice {
    package let name: String
    package let model: String
    private let card: CUDACard
    /// What NVENC encodes here.
    private let encoders: Set<VideoFormat.Codec>

    init(_ card: CUDACard, encoders: Set<VideoFormat.Codec>) {
        name = card.name
        model = card.model
        self.card = card
        self.encoders = encoders
    }

    package func makeDecoder(of format: VideoFormat) throws(FFmpegError) -> any PictureDecoding {
        guard !format.isInterlaced else {
            throw .unsuitable("interlaced pictures are made progressive on the CPU")
        }
        guard format.dynamicRange == .sdr else {
            throw .unsuitable("HDR pictures are mapped on the CPU")
        }
        return try PictureDecoder(
            .video(format.codec),
            configuration: format.decoderConfiguration,
            on: card
        )
    }

    package func makeScaler(
        from picture: PictureFrame,
        of source: VideoFormat?,
        to rung: LadderRung
    ) throws(FFmpegError) -> (any PictureScaling)? {
        // Also where the size is right: the decoder wants its pictures back.
        let layout = encoders.contains(rung.codec) ? "nv12" : "yuv420p"
        return try PictureFilter(
            "scale_cuda=w=\(rung.width):h=\(rung.height):format=\(layout):passthrough=0",
            for: picture
        )
    }

    package func makeEncoder(
        _ terms: EncodingTerms,
        for picture: PictureFrame
    ) throws(FFmpegError) -> any PictureEncoding {
        guard encoders.contains(terms.codec) else {
            return DownloadingEncoder(
                try PictureEncoder(PictureEncoder.Settings(terms, layout: CPUDevice.layout))
            )
        }
        return try PictureEncoder(
            PictureEncoder.Settings(terms, layout: AV_PIX_FMT_CUDA),
            on: picture
        )
    }

    /// Encodes pictures of a card on the CPU.
    private struct DownloadingEncoder: PictureEncoding {
        let isOnDevice = false
        private let encoder: PictureEncoder

        init(_ encoder: PictureEncoder) {
            self.encoder = encoder
        }

        func encode(
            _ picture: PictureFrame?,
            index: Int,
            asKeyframe: Bool
        ) throws(FFmpegError) -> [ByteBuffer] {
            try encoder.encode(try picture?.downloaded(), index: index, asKeyframe: asKeyframe)
        }
    }
}

extension PictureFrame {
    /// Its copy in the memory of the CPU, with what is said of it.
    fileprivate func downloaded() throws(FFmpegError) -> PictureFrame {
        let copy = try PictureFrame()
        let result = lend { source in
            copy.lend { av_hwframe_transfer_data($0, source, 0) }
        }
        try FFmpegError.check(result, "av_hwframe_transfer_data")
        try copy.describe(like: self)
        return copy
    }
}

import CFFmpeg

/// Makes whole pictures of interlaced ones, each of which shows two moments in alternate lines.
///
/// The lines of the first moment stay. Those of the second stay where nothing moves, and are made of the
/// lines above and below where something does, with a smooth passage between; so still parts keep all
/// their detail, and moving ones have no combs.
/// Layouts: planes of 8 bits, or of up to 16 in native order. Thread: the caller's.
final class Deinterlacer {
    /// Of 8 bits: differences up to this are noise.
    private static let noise: Int32 = 6
    /// Over so many steps more, what stays gives way to what is made.
    private static let passage: Int32 = 16

    private var previous: SharedPicture?

    /// What comes next does not go on from what was.
    func restart() {
        previous = nil
    }

    /// - Returns: `frame` itself when it is a whole picture already, or of a layout it does not know.
    func process(_ frame: PictureFrame) throws(FFmpegError) -> PictureFrame {
        let isInterlaced = frame.lend { $0.pointee.interlaced_frame != 0 }
        guard isInterlaced, let planes = Planes(frame.layout) else {
            previous = nil
            return frame
        }
        let before = previous
        previous = try SharedPicture(frame)
        let result = try PictureFrame(
            width: frame.width,
            height: frame.height,
            layout: frame.layout
        )
        try result.describe(like: frame)
        result.lend { $0.pointee.interlaced_frame = 0 }
        frame.lend { source in
            result.lend { result in
                if let before {
                    before.lend { planes.weave(source, $0, into: result) }
                } else {
                    planes.weave(source, nil, into: result)
                }
            }
        }
        return result
    }

    /// How a layout stores its samples.
    private struct Planes {
        private let count: Int
        private let bytes: Int
        private let depth: Int32
        private let chromaShift: (x: Int32, y: Int32)

        init?(_ layout: AVPixelFormat) {
            guard let description = av_pix_fmt_desc_get(layout) else { return nil }
            let flags = description.pointee.flags
            let other = UInt64(
                AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM
                    | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT
            )
            guard flags & other == 0, flags & UInt64(AV_PIX_FMT_FLAG_PLANAR) != 0,
                description.pointee.nb_components == 3
            else { return nil }
            depth = description.pointee.comp.0.depth
            count = 3
            bytes = depth > 8 ? 2 : 1
            chromaShift = (
                Int32(description.pointee.log2_chroma_w), Int32(description.pointee.log2_chroma_h)
            )
        }

        func weave(
            _ source: UnsafeMutablePointer<AVFrame>,
            _ before: UnsafePointer<AVFrame>?,
            into result: UnsafeMutablePointer<AVFrame>
        ) {
            // The lines of the first moment are the even ones where the top field comes first.
            let kept = source.pointee.top_field_first != 0 ? 0 : 1
            for plane in 0..<count {
                let shift = plane == 0 ? (x: 0, y: 0) : chromaShift
                let width = -(-Int(source.pointee.width) >> Int(shift.x))
                let height = -(-Int(source.pointee.height) >> Int(shift.y))
                guard let from = Plane(UnsafePointer(source), plane),
                    let to = Plane(UnsafePointer(result), plane)
                else { continue }
                let old = before.flatMap { Plane($0, plane) }
                for line in 0..<height {
                    guard line % 2 != kept, height > 1 else {
                        to.line(line).copyMemory(from: from.line(line), byteCount: width * bytes)
                        continue
                    }
                    let above = line > 0 ? line - 1 : line + 1
                    let below = line + 1 < height ? line + 1 : line - 1
                    if bytes == 1 {
                        make(UInt8.self, line, above, below, from, old, into: to, width)
                    } else {
                        make(UInt16.self, line, above, below, from, old, into: to, width)
                    }
                }
            }
        }

        private func make<Sample: FixedWidthInteger & UnsignedInteger>(
            _ type: Sample.Type,
            _ line: Int,
            _ above: Int,
            _ below: Int,
            _ from: Plane,
            _ old: Plane?,
            into to: Plane,
            _ width: Int
        ) {
            let own = from.line(line).assumingMemoryBound(to: type)
            let up = from.line(above).assumingMemoryBound(to: type)
            let down = from.line(below).assumingMemoryBound(to: type)
            let out = to.line(line).assumingMemoryBound(to: type)
            guard let old else {
                for x in 0..<width {
                    out[x] = Sample(truncatingIfNeeded: (Int32(up[x]) + Int32(down[x]) + 1) >> 1)
                }
                return
            }
            let oldOwn = old.line(line).assumingMemoryBound(to: type)
            let oldUp = old.line(above).assumingMemoryBound(to: type)
            let oldDown = old.line(below).assumingMemoryBound(to: type)
            let shift = depth - 8
            for x in 0..<width {
                let (upper, lower, middle) = (Int32(up[x]), Int32(down[x]), Int32(own[x]))
                let around = abs(upper - Int32(oldUp[x])) + abs(lower - Int32(oldDown[x]))
                let change = max(abs(middle - Int32(oldOwn[x])), around >> 1) >> shift
                let share = min(max(change - noise, 0), passage)
                let made = (upper + lower + 1) >> 1
                let mixed = middle * (passage - share) + made * share
                out[x] = Sample(truncatingIfNeeded: mixed / passage)
            }
        }

        private var noise: Int32 { Deinterlacer.noise }
        private var passage: Int32 { Deinterlacer.passage }
    }

    /// The lines of one plane of a frame that is lent.
    private struct Plane {
        private let start: UnsafeMutableRawPointer
        private let stride: Int

        init?(_ frame: UnsafePointer<AVFrame>, _ plane: Int) {
            let (data, sizes) = (frame.pointee.data, frame.pointee.linesize)
            let planes = [(data.0, sizes.0), (data.1, sizes.1), (data.2, sizes.2)]
            guard let start = planes[plane].0 else { return nil }
            self.start = UnsafeMutableRawPointer(start)
            stride = Int(planes[plane].1)
        }

        func line(_ index: Int) -> UnsafeMutableRawPointer {
            start + index * stride
        }
    }
}

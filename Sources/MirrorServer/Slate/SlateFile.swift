import Foundation
import Ingestion
import Media
import NIOCore
package import Processing

/// Reads what a slate shows: a PNG, a JPEG, or a clip as an MPEG transport stream.
package enum SlateFile {
    /// Of any file.
    static let byteLimit: Int64 = 64 << 20
    /// Enough to tell what it is.
    private static let headCount = 3 * 188

    /// Looks at a file without taking it in: what would fail for certain is said before it is needed.
    package static func check(_ path: String) throws(SlateError) {
        let file = try open(path)
        defer { try? file.close() }
        let head = ByteBuffer(bytes: (try? file.read(upToCount: headCount)) ?? Data())
        guard SlatePicture.still(head) == nil, !isTransportStream(head) else { return }
        throw unknown(path)
    }

    /// Takes a file in; blocks.
    package static func read(_ path: String) throws(SlateError) -> SlatePicture {
        let file = try open(path)
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: Int(byteLimit)) else {
            throw SlateError(.file, "slate \(path): it cannot be read")
        }
        let bytes = ByteBuffer(bytes: data)
        if let still = SlatePicture.still(bytes) { return still }
        guard isTransportStream(bytes) else { throw unknown(path) }
        return try clip(bytes, path)
    }

    private static func open(_ path: String) throws(SlateError) -> FileHandle {
        // Opening a FIFO would wait for its writer.
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(filePath: path).resolvingSymlinksInPath().path
        )
        guard let attributes, let file = FileHandle(forReadingAtPath: path),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { throw SlateError(.file, "slate \(path): it cannot be read") }
        guard let size = attributes[.size] as? Int64 ?? (attributes[.size] as? Int).map(Int64.init),
            size <= byteLimit
        else {
            throw SlateError(.file, "slate \(path): it is larger than \(byteLimit >> 20) MiB")
        }
        return file
    }

    private static func isTransportStream(_ bytes: ByteBuffer) -> Bool {
        let view = bytes.readableBytesView
        return view.count >= headCount
            && [0, 188, 376].allSatisfy { view[view.startIndex + $0] == 0x47 }
    }

    private static func unknown(_ path: String) -> SlateError {
        SlateError(
            .picture,
            "slate \(path): it is no PNG, no JPEG and no MPEG transport stream; make one of a clip with"
                + " ffmpeg -i CLIP -c copy -an slate.ts"
        )
    }

    /// The picture of a clip, as long as it is shown.
    private static func clip(_ bytes: ByteBuffer, _ path: String) throws(SlateError) -> SlatePicture
    {
        var session = IngestSession()
        var reel = Reel()
        let now = WallTime.now
        // In pieces: what lies behind the limit is not looked at.
        for start in stride(from: 0, to: bytes.readableBytes, by: 1 << 20) where !reel.isFull {
            let count = min(1 << 20, bytes.readableBytes - start)
            bytes.getSlice(at: bytes.readerIndex + start, length: count)?.withUnsafeReadableBytes {
                session.receive($0, arrival: now) { reel.take($0) }
            }
        }
        session.finish { reel.take($0) }
        guard let format = reel.format, !reel.units.isEmpty else {
            throw SlateError(.picture, "slate \(path): no video that is known begins in it")
        }
        return .clip(format, reel.units)
    }

    /// The pictures of the first timeline of a clip.
    private struct Reel {
        private(set) var format: VideoFormat?
        private(set) var units: [AccessUnit] = []
        private(set) var isFull = false
        private var picture: Track.ID?

        mutating func take(_ event: MediaEvent) {
            guard !isFull else { return }
            switch event {
            case .tracks(let tracks):
                guard format == nil || tracks.video?.video == format else {
                    isFull = true
                    return
                }
                format = tracks.video?.video
                picture = tracks.video?.id
            case .accessUnit(let unit):
                guard unit.track == picture else { return }
                let limit = MediaTime(
                    ticks: SlateEncoder.clipLimit.components.seconds + 1,
                    timescale: 1
                )
                isFull = units.first.map { unit.dts - $0.dts > limit } ?? false
                units.append(unit)
            case .discontinuity, .end:
                isFull = !units.isEmpty
            }
        }
    }
}

extension StreamRules {
    /// The same rules, once it is sure that their slates are files that can be shown.
    package func withSlatesChecked() throws(SlateError) -> StreamRules {
        for file in slateFiles { try SlateFile.check(file) }
        return self
    }
}

import Foundation
import NIOCore

extension Viewer {
    package struct UnreadableMedia: Error {
        package let uri: String
    }

    /// When a segment begins by its first `tfdt`, in seconds.
    ///
    /// Source: ISO/IEC 14496-12, 8.4.2 and 8.8.12.
    package func decodeTime(
        of segment: MediaPlaylist.Segment,
        in playlist: String
    ) async throws -> Double {
        let folder = MediaPlaylist.folder(of: playlist)
        let header = try await ask(folder + (segment.map ?? "")).body
        let media = try await ask(folder + segment.uri).body
        guard
            // Both full boxes: the version of `mdhd` is 0, that of `tfdt` is 1.
            let timescale = Self.integer(UInt32.self, 12, behind: "mdhd", in: header),
            let time = Self.integer(UInt64.self, 4, behind: "tfdt", in: media)
        else { throw UnreadableMedia(uri: segment.uri) }
        return Double(time) / Double(timescale)
    }

    /// The integer `offset` bytes behind the name of the first box of that name.
    private static func integer<Integer: FixedWidthInteger>(
        _ type: Integer.Type,
        _ offset: Int,
        behind name: String,
        in buffer: ByteBuffer
    ) -> Integer? {
        let bytes = Data(buffer.readableBytesView)
        guard let end = bytes.firstRange(of: Data(name.utf8))?.upperBound else { return nil }
        return buffer.getInteger(at: buffer.readerIndex + end + offset)
    }
}

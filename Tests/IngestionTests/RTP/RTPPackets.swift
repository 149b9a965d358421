import Foundation
import Ingestion
import Synchronization
import TestSupport
import Testing

/// Packets of RTP that other software made.
enum RTPPackets {
    /// The packets at the end of a pipeline of GStreamer, which writes each behind its length (RFC 4571, 2).
    static func gstreamer(_ pipeline: String) async throws -> [[UInt8]] {
        let words = "\(pipeline) ! rtpstreampay ! fdsink fd=1".split(whereSeparator: \.isWhitespace)
        let output = try await ExternalProcess.run(
            "gst-launch-1.0",
            ["-q"] + words.map(String.init)
        )
        let bytes = Array(output.output)
        var packets: [[UInt8]] = []
        var position = 0
        while position + 2 <= bytes.count {
            let start = position + 2
            position = start + Int(bytes[position]) << 8 + Int(bytes[position + 1])
            try #require(position <= bytes.count)
            packets.append(Array(bytes[start..<position]))
        }
        return packets
    }

    /// What ffmpeg sends in real time of one track of a file, and the media as its SDP describes them.
    static func ffmpeg(
        _ file: String,
        _ options: [String],
        seconds: Int
    ) async throws -> (packets: [[UInt8]], media: [MediaDescription]) {
        let received = Mutex<[[UInt8]]>([])
        let line = try DatagramLine(to: FreePort.udp) { _, bytes in
            if !RTCPPacket.isRTCP(bytes.span) { received.withLock { $0.append(bytes) } }
            return nil
        }
        defer { line.stop() }
        let description = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).sdp")
        defer { try? FileManager.default.removeItem(at: description) }
        let arguments =
            ["-v", "error", "-re", "-i", file, "-t", "\(seconds)"] + options
            + ["-c", "copy", "-sdp_file", description.path, "-f", "rtp"]
            + ["rtp://127.0.0.1:\(line.port)?rtcpport=\(line.port)"]
        try await ExternalProcess.run("ffmpeg", arguments)
        let text = try String(contentsOf: description, encoding: .utf8)
        return (received.withLock { $0 }, try SessionDescription(parsing: text).media)
    }
}

/// The packets of one track of a file, as ffmpeg reads them.
struct FilePackets {
    let packets: [[UInt8]]

    init(_ file: String, _ map: String) async throws {
        let input = ["-v", "error", "-i", file, "-map", map, "-c", "copy", "-f"]
        let bytes = Array(try await ExternalProcess.run("ffmpeg", input + ["data", "-"]).output)
        // Stream, DTS, PTS, duration, size, checksum.
        let list = try await ExternalProcess.run("ffmpeg", input + ["framecrc", "-"]).text
        var position = 0
        packets = try list.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let words = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            let size = try #require(words.count > 4 ? Int(words[4]) : nil)
            defer { position += size }
            try #require(position + size <= bytes.count)
            return Array(bytes[position..<(position + size)])
        }
    }
}

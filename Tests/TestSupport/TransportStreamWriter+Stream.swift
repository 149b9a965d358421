extension TransportStreamWriter {
    /// One elementary stream, as the program map describes it.
    package struct Stream: Sendable {
        package var pid: UInt16
        package var streamType: UInt8
        /// `stream_id` of its PES packets.
        package var streamID: UInt8
        package var descriptors: [UInt8]

        package init(
            pid: UInt16,
            streamType: UInt8,
            streamID: UInt8 = 0xBD,
            descriptors: [UInt8] = []
        ) {
            self.pid = pid
            self.streamType = streamType
            self.streamID = streamID
            self.descriptors = descriptors
        }

        /// The same stream with an ISO 639 language descriptor.
        package func inLanguage(_ code: String) -> Stream {
            var stream = self
            stream.descriptors += [0x0A, 4] + code.utf8.prefix(3) + [0]
            return stream
        }

        package static func h264(pid: UInt16 = 0x100) -> Stream {
            Stream(pid: pid, streamType: 0x1B, streamID: 0xE0)
        }

        package static func hevc(pid: UInt16 = 0x100) -> Stream {
            Stream(pid: pid, streamType: 0x24, streamID: 0xE0)
        }

        package static func av1(pid: UInt16 = 0x100) -> Stream {
            Stream(pid: pid, streamType: 0x06, descriptors: registration("AV01"))
        }

        package static func jpegXS(pid: UInt16 = 0x100) -> Stream {
            Stream(pid: pid, streamType: 0x32)
        }

        /// ADTS framing.
        package static func aac(pid: UInt16 = 0x101) -> Stream {
            Stream(pid: pid, streamType: 0x0F, streamID: 0xC0)
        }

        package static func latm(pid: UInt16 = 0x101) -> Stream {
            Stream(pid: pid, streamType: 0x11, streamID: 0xC0)
        }

        package static func mp3(pid: UInt16 = 0x101) -> Stream {
            Stream(pid: pid, streamType: 0x03, streamID: 0xC0)
        }

        package static func ac3(pid: UInt16 = 0x101) -> Stream {
            Stream(pid: pid, streamType: 0x81)
        }

        package static func eac3(pid: UInt16 = 0x101) -> Stream {
            Stream(pid: pid, streamType: 0x87)
        }

        /// `channels` is the `channel_config_code`; 1 and 2 are mono and stereo.
        package static func opus(pid: UInt16 = 0x101, channels: UInt8 = 2) -> Stream {
            Stream(
                pid: pid,
                streamType: 0x06,
                descriptors: registration("Opus") + [0x7F, 2, 0x80, channels]
            )
        }

        package static func registration(_ identifier: String) -> [UInt8] {
            [0x05, 4] + identifier.utf8.prefix(4)
        }
    }
}

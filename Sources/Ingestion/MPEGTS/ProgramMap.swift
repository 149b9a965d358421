/// A program map: the elementary streams of one program.
///
/// Source: ISO/IEC 13818-1, 2.4.4.8.
struct ProgramMap: Equatable {
    let programNumber: Int
    /// Carries the program's clock; 0x1FFF when it has none.
    let clockPID: UInt16
    /// In the order of the table.
    let streams: [ElementaryStreamDescription]

    var hasVideo: Bool { streams.contains { $0.isVideo } }
    var hasAudio: Bool { streams.contains { $0.isAudio } }

    /// - Returns: `nil` when a length inside runs past the section.
    init?(_ section: Section) {
        let body = section.body
        guard section.table == .programMap, body.count >= 4 else { return nil }
        programNumber = Int(section.identifier)
        clockPID = UInt16(body[0] & 0x1F) << 8 | UInt16(body[1])
        var position = 4 + (Int(body[2] & 0x0F) << 8 | Int(body[3]))
        guard position <= body.count else { return nil }
        var streams: [ElementaryStreamDescription] = []
        while position < body.count {
            guard position + 5 <= body.count else { return nil }
            let start = position + 5
            let end = start + (Int(body[position + 3] & 0x0F) << 8 | Int(body[position + 4]))
            guard end <= body.count, let descriptors = Descriptor.list(body[start..<end]) else {
                return nil
            }
            streams.append(
                ElementaryStreamDescription(
                    pid: UInt16(body[position + 1] & 0x1F) << 8 | UInt16(body[position + 2]),
                    streamType: body[position],
                    descriptors: descriptors
                )
            )
            position = end
        }
        self.streams = streams
    }
}

/// A descriptor of the program map: a tag, a length, and as many bytes.
struct Descriptor {
    let tag: UInt8
    let body: ArraySlice<UInt8>

    /// - Returns: `nil` when one runs past the end.
    static func list(_ bytes: ArraySlice<UInt8>) -> [Descriptor]? {
        var descriptors: [Descriptor] = []
        var rest = bytes
        while let tag = rest.popFirst() {
            guard let length = rest.popFirst(), Int(length) <= rest.count else { return nil }
            descriptors.append(Descriptor(tag: tag, body: rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        return descriptors
    }

    func starts(with text: String) -> Bool {
        body.starts(with: text.utf8)
    }
}

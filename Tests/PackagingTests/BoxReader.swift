import NIOCore
import Packaging

/// One box as a reader of its own sees it: nothing is shared with what writes boxes.
struct ReadBox {
    let type: String
    let offset: Int
    let body: [UInt8]

    /// Boxes that follow each other; `nil` when sizes do not add up.
    static func all(in bytes: [UInt8], from start: Int = 0) -> [ReadBox]? {
        var boxes: [ReadBox] = []
        var offset = start
        while offset < bytes.count {
            guard offset + 8 <= bytes.count else { return nil }
            let size = Int(number(bytes, offset, 4))
            guard size >= 8, offset + size <= bytes.count else { return nil }
            boxes.append(
                ReadBox(
                    type: String(decoding: bytes[offset + 4..<offset + 8], as: UTF8.self),
                    offset: offset,
                    body: Array(bytes[offset + 8..<offset + size])
                )
            )
            offset += size
        }
        return boxes
    }

    static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
    }

    func children(from start: Int = 0) -> [ReadBox] { ReadBox.all(in: body, from: start) ?? [] }

    /// The box at the end of a path of plain boxes.
    func find(_ path: String...) -> ReadBox? {
        path.reduce(self as ReadBox?) { box, type in
            box?.children().first { $0.type == type }
        }
    }

    func integer(_ offset: Int, _ count: Int = 4) -> UInt64 { Self.number(body, offset, count) }
}

/// A chunk as a player reads it.
struct ReadChunk {
    struct Sample: Equatable {
        var decodeTime: UInt64
        var compositionOffset: Int64
        var duration: UInt32
        var flags: UInt32
        var payload: [UInt8]
    }

    let sequenceNumber: UInt32
    let samples: [Sample]

    var decodeTime: UInt64 { samples.first?.decodeTime ?? 0 }
    var duration: UInt64 { samples.reduce(0) { $0 + UInt64($1.duration) } }

    /// Reads `moof` and `mdat`; `header` is the `ftyp` and `moov` whose `trex` has the defaults.
    init?(_ part: Part, header: ByteBuffer) {
        let bytes = part.slices.flatMap(\.readableBytesView)
        guard let moov = ReadBox.all(in: Array(header.readableBytesView))?.last,
            let trex = moov.find("mvex", "trex"),
            let boxes = ReadBox.all(in: bytes), boxes.map(\.type) == ["moof", "mdat"],
            let mfhd = boxes[0].find("mfhd"), let tfhd = boxes[0].find("traf", "tfhd"),
            let tfdt = boxes[0].find("traf", "tfdt"), let trun = boxes[0].find("traf", "trun"),
            tfdt.integer(0) == 0x0100_0000
        else { return nil }
        sequenceNumber = UInt32(mfhd.integer(4))
        var duration = trex.integer(12)
        var size = trex.integer(16)
        var flags = trex.integer(20)

        let fragmentFlags = tfhd.integer(0)
        guard fragmentFlags & 0x020000 != 0, fragmentFlags & ~0x020038 == 0 else { return nil }
        var offset = 8
        for (flag, set) in [
            (0x08, { duration = $0 }), (0x10, { size = $0 }), (0x20, { flags = $0 }),
        ] as [(UInt64, (UInt64) -> Void)] where fragmentFlags & flag != 0 {
            set(tfhd.integer(offset))
            offset += 4
        }

        let runFlags = trun.integer(0)
        guard runFlags & 0x1 != 0, runFlags & ~0x01_000F05 == 0 else { return nil }
        let count = trun.integer(4)
        var position = Int(trun.integer(8))
        guard position == boxes[1].offset + 8 else { return nil }
        var cursor = 12
        func next() -> UInt64 {
            defer { cursor += 4 }
            return trun.integer(cursor)
        }
        let firstFlags = runFlags & 0x4 != 0 ? next() : nil
        var time = tfdt.integer(4, 8)
        var samples: [Sample] = []
        for index in 0..<count {
            let sampleDuration = runFlags & 0x100 != 0 ? next() : duration
            let sampleSize = Int(runFlags & 0x200 != 0 ? next() : size)
            let sampleFlags = runFlags & 0x400 != 0 ? next() : flags
            let composition = runFlags & 0x800 != 0 ? next() : 0
            guard position + sampleSize <= bytes.count else { return nil }
            samples.append(
                Sample(
                    decodeTime: time,
                    compositionOffset: Int64(composition),
                    duration: UInt32(sampleDuration),
                    flags: UInt32(index == 0 ? firstFlags ?? sampleFlags : sampleFlags),
                    payload: Array(bytes[position..<position + sampleSize])
                )
            )
            position += sampleSize
            time += sampleDuration
        }
        // Nothing is left over: every byte of the media data belongs to a sample.
        guard position == bytes.count, cursor == trun.body.count else { return nil }
        self.samples = samples
    }
}

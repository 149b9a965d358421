import Media
import NIOCore

/// One CMAF chunk: a movie fragment of one track and its media data.
///
/// Layout: `moof { mfhd, traf { tfhd, tfdt, trun } }`, `mdat`. Offsets count from the `moof`. What all
///         samples agree on is said once: in `trex` when it is the track's rule, else in `tfhd`.
/// Ownership: large payloads are the access units' own buffers; what is small is copied together, since
///            every slice costs every viewer a write, a frame and a record of TLS.
/// Source: ISO/IEC 23000-19, 7.3.2.3; ISO/IEC 14496-12, 8.8.
enum CMAFChunk {
    private enum TrackFragmentFlag {
        static let defaultDuration: UInt32 = 0x00_0008
        static let defaultSize: UInt32 = 0x00_0010
        static let defaultFlags: UInt32 = 0x00_0020
        static let defaultBaseIsMoof: UInt32 = 0x02_0000
    }

    private enum TrackRunFlag {
        static let dataOffset: UInt32 = 0x001
        static let firstSampleFlags: UInt32 = 0x004
        static let duration: UInt32 = 0x100
        static let size: UInt32 = 0x200
        static let flags: UInt32 = 0x400
        static let compositionOffset: UInt32 = 0x800
    }

    /// The boxes around the samples' fields and payloads, at most.
    private static let fixedByteCount = 128
    private static let byteCountPerSample = 16
    /// From here on four records of TLS are full, and not copying saves more than a slice costs.
    private static let sharedByteCount = 64 << 10

    /// The chunk as it is sent.
    ///
    /// - Parameters:
    ///   - samples: At least one, in decoding order, without holes between them.
    ///   - track: Whose defaults need not be repeated.
    ///   - sequenceNumber: Grows from chunk to chunk of the track.
    /// - Returns: `moof` and `mdat`, in slices that follow each other.
    static func encode(
        _ samples: ArraySlice<Sample>,
        of track: CMAFTrack,
        sequenceNumber: UInt32
    ) -> [ByteBuffer] {
        let fields = Fields(samples, track: track)
        let payloadByteCount = samples.reduce(0) { $0 + $1.payload.readableBytes }
        var writer = BoxWriter(capacity: fixedByteCount + byteCountPerSample * samples.count)
        var dataOffsetPosition = 0
        writer.box("moof") { moof in
            moof.fullBox("mfhd") { $0.write(sequenceNumber) }
            moof.box("traf") { traf in
                writeFragmentHeader(fields, into: &traf)
                traf.fullBox("tfdt", version: 1) {
                    $0.write(UInt64(clamping: samples.first?.decodeTime ?? 0))
                }
                dataOffsetPosition = writeRun(samples, fields, into: &traf)
            }
        }
        writer.patch(UInt32(clamping: writer.position + 8), at: dataOffsetPosition)
        writer.header("mdat", bodyByteCount: payloadByteCount)
        return joiningSmall([writer.buffer] + samples.map(\.payload))
    }

    /// The same bytes in a row, with neighbours of less than `sharedByteCount` in one buffer.
    private static func joiningSmall(_ slices: [ByteBuffer]) -> [ByteBuffer] {
        var joined: [ByteBuffer] = []
        var rest = slices[...]
        while let first = rest.first {
            let small = rest.prefix { $0.readableBytes < sharedByteCount }
            joined.append(small.count > 1 ? ByteBuffer(joining: small) : first)
            rest = rest.dropFirst(max(1, small.count))
        }
        return joined
    }

    private static func writeFragmentHeader(_ fields: Fields, into traf: inout BoxWriter) {
        var flags = TrackFragmentFlag.defaultBaseIsMoof
        if fields.commonDuration != nil { flags |= TrackFragmentFlag.defaultDuration }
        if fields.commonSize != nil { flags |= TrackFragmentFlag.defaultSize }
        if fields.commonFlags != nil { flags |= TrackFragmentFlag.defaultFlags }
        traf.fullBox("tfhd", flags: flags) { box in
            box.write(UInt32(1))  // track_ID
            if let duration = fields.commonDuration { box.write(duration) }
            if let size = fields.commonSize { box.write(size) }
            if let sampleFlags = fields.commonFlags { box.write(sampleFlags.rawValue) }
        }
    }

    /// - Returns: Where `data_offset` is, to be filled in when the `moof` is complete.
    private static func writeRun(
        _ samples: ArraySlice<Sample>,
        _ fields: Fields,
        into traf: inout BoxWriter
    ) -> Int {
        var dataOffsetPosition = 0
        traf.fullBox("trun", flags: fields.runFlags) { box in
            box.write(UInt32(clamping: samples.count))
            dataOffsetPosition = box.position
            box.write(UInt32(0))
            if let first = fields.firstSampleFlags { box.write(first.rawValue) }
            for sample in samples {
                if fields.hasDurations { box.write(sample.duration) }
                if fields.hasSizes { box.write(UInt32(clamping: sample.payload.readableBytes)) }
                if fields.hasFlags { box.write(sample.flags.rawValue) }
                if fields.hasCompositionOffsets { box.write(sample.compositionOffset) }
            }
        }
        return dataOffsetPosition
    }

    /// Which fields each sample must have, and which are said once for all of them.
    private struct Fields {
        var commonDuration: UInt32?
        var commonSize: UInt32?
        var commonFlags: SampleFlags?
        var firstSampleFlags: SampleFlags?
        var hasDurations = false
        var hasSizes = false
        var hasFlags = false
        var hasCompositionOffsets = false

        init(_ samples: ArraySlice<Sample>, track: CMAFTrack) {
            guard let first = samples.first else { return }
            let rest = samples.dropFirst()
            if !rest.allSatisfy({ $0.duration == first.duration }) {
                hasDurations = true
            } else if first.duration != track.defaultDuration {
                commonDuration = first.duration
            }
            let size = first.payload.readableBytes
            if rest.allSatisfy({ $0.payload.readableBytes == size }) {
                commonSize = UInt32(clamping: size)
            } else {
                hasSizes = true
            }
            let flags = rest.first?.flags ?? first.flags
            if !rest.allSatisfy({ $0.flags == flags }) {
                hasFlags = true
            } else {
                if flags != track.defaultFlags { commonFlags = flags }
                if first.flags != flags { firstSampleFlags = first.flags }
            }
            hasCompositionOffsets = samples.contains { $0.compositionOffset != 0 }
        }

        var runFlags: UInt32 {
            var flags = TrackRunFlag.dataOffset
            if firstSampleFlags != nil { flags |= TrackRunFlag.firstSampleFlags }
            if hasDurations { flags |= TrackRunFlag.duration }
            if hasSizes { flags |= TrackRunFlag.size }
            if hasFlags { flags |= TrackRunFlag.flags }
            if hasCompositionOffsets { flags |= TrackRunFlag.compositionOffset }
            return flags
        }
    }
}

extension ByteBuffer {
    /// A copy of the buffers, one behind the other.
    fileprivate init(joining buffers: some Collection<ByteBuffer>) {
        self.init(exactCapacity: buffers.reduce(0) { $0 + $1.readableBytes })
        for buffer in buffers { writeImmutableBuffer(buffer) }
    }
}

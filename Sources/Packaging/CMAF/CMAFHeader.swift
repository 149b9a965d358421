import Media
import NIOCore

/// The CMAF header of a track, which EXT-X-MAP names: `ftyp` and a `moov` without samples.
///
/// Brand `cmfc`, not `cmf2`: composition offsets are not negative, and no edit list shifts them, so
/// that the times in the media are the source's own in every rendition and for every reader. FFmpeg
/// shows the samples of a track with negative offsets later, by the largest of them.
/// Source: ISO/IEC 23000-19, 7.3.1; ISO/IEC 14496-12, 8.
enum CMAFHeader {
    static func encode(_ track: CMAFTrack) -> ByteBuffer {
        var writer = BoxWriter(capacity: 2048)
        writer.box("ftyp") { box in
            box.write(FourCC("iso6").rawValue)
            box.write(UInt32(0))  // minor_version
            for brand: FourCC in ["iso6", "cmfc", "mp41"] { box.write(brand.rawValue) }
        }
        writer.box("moov") { moov in
            writeMovieHeader(track, into: &moov)
            moov.box("trak") { trak in
                writeTrackHeader(track, into: &trak)
                trak.box("mdia") { writeMedia(track, into: &$0) }
            }
            moov.box("mvex") { mvex in
                mvex.fullBox("trex") { box in
                    box.write(UInt32(1))  // track_ID
                    box.write(UInt32(1))  // default_sample_description_index
                    box.write(track.defaultDuration)
                    box.write(UInt32(0))  // default_sample_size
                    box.write(track.defaultFlags.rawValue)
                }
            }
        }
        return writer.buffer
    }

    private static func writeMovieHeader(_ track: CMAFTrack, into moov: inout BoxWriter) {
        moov.fullBox("mvhd") { box in
            box.writeZeros(8)  // creation and modification times: not known
            box.write(track.timescale)
            box.write(UInt32(0))  // duration: in the fragments
            box.write(UInt32(0x0001_0000))  // rate
            box.write(UInt16(0x0100))  // volume
            box.writeZeros(10)
            writeUnityMatrix(into: &box)
            box.writeZeros(24)
            box.write(UInt32(2))  // next_track_ID
        }
    }

    private static func writeTrackHeader(_ track: CMAFTrack, into trak: inout BoxWriter) {
        // track_enabled | track_in_movie | track_in_preview
        trak.fullBox("tkhd", flags: 0x7) { box in
            box.writeZeros(8)
            box.write(UInt32(1))  // track_ID
            box.writeZeros(4)
            box.write(UInt32(0))  // duration
            box.writeZeros(8)
            box.writeZeros(4)  // layer, alternate_group
            switch track.media {
            case .video: box.write(UInt16(0))
            case .audio: box.write(UInt16(0x0100))
            }
            box.writeZeros(2)
            writeUnityMatrix(into: &box)
            switch track.media {
            case .video(let format):
                box.write(displayWidth(of: format) << 16)
                box.write(UInt32(UInt16(clamping: format.height)) << 16)
            case .audio:
                box.writeZeros(8)
            }
        }
    }

    /// The coded width in pixels as tall as they are wide; whole pixels, at most 65 535.
    private static func displayWidth(of format: VideoFormat) -> UInt32 {
        let ratio = format.sampleAspectRatio?.value ?? 1
        let width = Double(format.width) * (ratio > 0 ? ratio : 1)
        return UInt32(max(0, min(width.rounded(), 65_535)))
    }

    private static func writeMedia(_ track: CMAFTrack, into mdia: inout BoxWriter) {
        mdia.fullBox("mdhd") { box in
            box.writeZeros(8)
            box.write(track.timescale)
            box.write(UInt32(0))
            box.write(packedLanguage(track.language))
            box.writeZeros(2)
        }
        mdia.fullBox("hdlr") { box in
            box.writeZeros(4)
            switch track.media {
            case .video: box.write(FourCC("vide").rawValue)
            case .audio: box.write(FourCC("soun").rawValue)
            }
            box.writeZeros(12)
            box.write(UInt8(0))  // name: empty
        }
        mdia.box("minf") { minf in
            switch track.media {
            case .video: minf.fullBox("vmhd", flags: 1) { $0.writeZeros(8) }
            case .audio: minf.fullBox("smhd") { $0.writeZeros(4) }
            }
            minf.box("dinf") { dinf in
                dinf.fullBox("dref") { box in
                    box.write(UInt32(1))
                    box.fullBox("url ", flags: 1) { _ in }  // the media is in this file
                }
            }
            minf.box("stbl") { writeSampleTable(track, into: &$0) }
        }
    }

    private static func writeSampleTable(_ track: CMAFTrack, into stbl: inout BoxWriter) {
        stbl.fullBox("stsd") { box in
            box.write(UInt32(1))
            SampleEntry.write(track, into: &box)
        }
        stbl.fullBox("stts") { $0.writeZeros(4) }
        stbl.fullBox("stsc") { $0.writeZeros(4) }
        stbl.fullBox("stsz") { $0.writeZeros(8) }
        stbl.fullBox("stco") { $0.writeZeros(4) }
    }

    private static func writeUnityMatrix(into box: inout BoxWriter) {
        for value: UInt32 in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] {
            box.write(value)
        }
    }

    /// Three letters of five bits each; anything else than a to z makes it `und`.
    private static func packedLanguage(_ language: String?) -> UInt16 {
        let letters = Array((language ?? "und").utf8)
        let range = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard letters.count == 3, letters.allSatisfy(range.contains) else {
            return packedLanguage("und")
        }
        return letters.reduce(0) { $0 << 5 | UInt16($1 - 0x60) }
    }
}

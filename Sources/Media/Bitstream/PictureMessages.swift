// What is said beside a picture, as the bitstreams have it.

extension ClosedCaptions {
    /// Of ITU-T T.35: United States, ATSC, `GA94`, and the type of `cc_data`.
    static let registeredHeader: [UInt8] = [0xB5, 0x00, 0x31] + Array("GA94".utf8) + [0x03]

    /// A message of ITU-T T.35; `nil` without captions.
    ///
    /// Source: ATSC A/53 Part 4.
    var registeredUserData: [UInt8]? {
        let count = bytes.count / 3
        guard (1...Self.pictureLimit).contains(count) else { return nil }
        return Self.registeredHeader + [0xC0 | UInt8(count), 0xFF] + bytes + [0xFF]
    }
}

extension Timecode {
    /// The fields that all three codecs have in this order, from `full_timestamp_flag` on.
    fileprivate func write(to writer: inout BitWriter, frameBits: Int) {
        // full_timestamp_flag 1, discontinuity_flag 0
        writer.write(2, bits: 2)
        writer.write(isDropFrame)
        writer.write(frames, bits: frameBits)
        writer.write(seconds, bits: 6)
        writer.write(minutes, bits: 6)
        writer.write(hours, bits: 5)
    }

    /// 4: of a minute, the first two numbers are left out.
    fileprivate var countingType: Int { isDropFrame ? 4 : 0 }

    /// `time_code`, of one time stamp.
    ///
    /// Source: ITU-T H.265 D.2.27.
    var hevcPayload: [UInt8] {
        var writer = BitWriter()
        writer.write(1, bits: 2)
        writer.write(true)
        // units_field_based_flag 0: a clock tick is a picture.
        writer.write(countingType, bits: 6)
        write(to: &writer, frameBits: 9)
        // time_offset_length 0, and the one bit that ends what does not fill its byte.
        writer.write(0, bits: 5)
        writer.write(true)
        return writer.bytes
    }

    /// `metadata_timecode` with its trailing bits.
    ///
    /// Source: AV1 5.8.7.
    var av1Payload: [UInt8] {
        var writer = BitWriter()
        writer.write(countingType, bits: 5)
        write(to: &writer, frameBits: 9)
        // time_offset_length 0, trailing_one_bit
        writer.write(0, bits: 5)
        writer.write(true)
        return writer.bytes
    }
}

extension DisplayOrientation {
    /// `display_orientation` up to the next coded video sequence.
    ///
    /// Source: ITU-T H.264 D.1.27; ITU-T H.265 D.2.17.
    func payload(isH264: Bool) -> [UInt8] {
        var writer = BitWriter()
        // display_orientation_cancel_flag
        writer.write(false)
        writer.write(isMirrored)
        // ver_flip: the same as mirrored and half a turn
        writer.write(false)
        writer.write(Int(rotation), bits: 16)
        if isH264 {
            // display_orientation_repetition_period 1, display_orientation_extension_flag 0
            writer.write(0b010_0, bits: 4)
        } else {
            // display_orientation_persistence_flag
            writer.write(true)
        }
        // bit_equal_to_one
        writer.write(true)
        return writer.bytes
    }
}

/// The picture timing of H.264, which cannot be read without its SPS.
///
/// Encoders that are told to leave room for it write one that says nothing; that one is replaced.
///
/// Source: ITU-T H.264 D.1.3, E.2.2.
enum H264PictureTiming {
    /// Whether a NAL unit says no more than that its picture is a frame, in a stream without HRD parameters.
    static func isEmpty(_ unit: some Collection<UInt8>) -> Bool {
        // Type 1, one byte: pic_struct 0, clock_timestamp_flag 0, and the one bit that ends it.
        unit.elementsEqual([0x06, 0x01, 0x01, 0x04, 0x80])
    }

    static func payload(_ timecode: Timecode) -> [UInt8] {
        var writer = BitWriter()
        // pic_struct 0, clock_timestamp_flag 1, ct_type 0 (progressive)
        writer.write(0b0000_1_00, bits: 7)
        // nuit_field_based_flag: two ticks of the clock are a frame.
        writer.write(true)
        writer.write(timecode.countingType, bits: 5)
        timecode.write(to: &writer, frameBits: 8)
        // time_offset has 24 bits where no HRD parameters say otherwise.
        writer.write(0, bits: 24)
        // bit_equal_to_one, where it does not fill its byte
        writer.write(true)
        return writer.bytes
    }
}

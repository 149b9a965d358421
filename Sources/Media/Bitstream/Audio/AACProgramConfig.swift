/// A `program_config_element()`: the channels of AAC where no number of the table fits.
///
/// Source: ISO/IEC 14496-3, 4.4.1.1.
struct AACProgramConfig: Sendable, Hashable {
    let channels: Int
    /// Everything before the alignment and the comment: up to 200 bits, each a value with its width.
    private let fields: [Field]

    private struct Field: Sendable, Hashable {
        let value: Int
        let bits: Int
    }

    /// Reads the element, which is aligned to the first byte of `reader`.
    init(_ reader: inout BitReader) throws(BitstreamError) {
        var fields: [Field] = []
        func read(_ bits: Int) throws(BitstreamError) -> Int {
            let value = try reader.int(bits)
            fields.append(Field(value: value, bits: bits))
            return value
        }
        // element_instance_tag, object_type, sampling_frequency_index
        _ = try read(10)
        let front = try read(4)
        let side = try read(4)
        let back = try read(4)
        let lowFrequency = try read(2)
        let associatedData = try read(3)
        let coupling = try read(4)
        // mono_mixdown, stereo_mixdown
        for _ in 0..<2 where try read(1) == 1 { _ = try read(4) }
        // matrix_mixdown_idx, pseudo_surround_enable
        if try read(1) == 1 { _ = try read(3) }
        var channels = 0
        for _ in 0..<(front + side + back) { channels += try read(5) >> 4 + 1 }
        for _ in 0..<lowFrequency {
            _ = try read(4)
            channels += 1
        }
        for _ in 0..<associatedData { _ = try read(4) }
        for _ in 0..<coupling { _ = try read(5) }
        reader.alignToByte()
        try reader.skip(8 * (try reader.int(8)))
        guard channels > 0 else { throw .invalid }
        self.channels = channels
        self.fields = fields
    }

    /// Writes the element without its comment.
    func write(to writer: inout BitWriter) {
        for field in fields { writer.write(field.value, bits: field.bits) }
        writer.alignToByte()
        writer.write(0, bits: 8)
    }
}

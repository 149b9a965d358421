/// Sends temporal units of AV1 in the payloads of RTP packets.
///
/// Source: RTP Payload Format For AV1, 4.4 (aggregation header), 4.5 (elements), 5 (packetization).
package struct AV1Payloads: Sendable {
    /// Of a payload, in bytes.
    package var limit: Int
    /// W tells how many elements a packet has, and the last one needs no length.
    package var countsElements: Bool

    package init(limit: Int, countsElements: Bool) {
        self.limit = limit
        self.countsElements = countsElements
    }

    /// The payloads of one temporal unit; the last one's packet has the marker.
    package func payloads(of temporalUnit: [UInt8]) -> [[UInt8]] {
        let units = Self.units(of: temporalUnit)
        var payloads: [[UInt8]] = []
        var elements: [[UInt8]] = []
        var isContinued = false
        var room = limit - 1

        func close(continues: Bool) {
            guard !elements.isEmpty else { return }
            let count = countsElements && elements.count <= 3 ? elements.count : 0
            let begins = payloads.isEmpty && units.contains { $0[0] >> 3 & 15 == 1 }
            var payload = [
                UInt8(isContinued ? 0x80 : 0) | (continues ? 0x40 : 0) | UInt8(count) << 4
                    | (begins ? 8 : 0)
            ]
            for (index, element) in elements.enumerated() {
                if count == 0 || index < count - 1 { payload += Self.leb128(element.count) }
                payload += element
            }
            payloads.append(payload)
            elements = []
            isContinued = continues
            room = limit - 1
        }

        for unit in units {
            var rest = unit[...]
            while !rest.isEmpty {
                // Two bytes tell a length of up to 16,383.
                if room < 3 { close(continues: rest.count < unit.count) }
                let part = rest.prefix(room - 2)
                elements.append(Array(part))
                room -= part.count + 2
                rest = rest.dropFirst(part.count)
                if !rest.isEmpty { close(continues: true) }
            }
        }
        close(continues: false)
        return payloads
    }

    /// The OBUs that are sent of a temporal unit, each without its length: no delimiters, no padding.
    ///
    /// Source: AV1 Bitstream & Decoding Process Specification, 5.3.
    package static func units(of temporalUnit: [UInt8]) -> [[UInt8]] {
        var units: [[UInt8]] = []
        var position = 0
        while position < temporalUnit.count {
            let header = temporalUnit[position]
            let headerSize = header & 4 == 0 ? 1 : 2
            var start = position + headerSize
            var size = temporalUnit.count - start
            if header & 2 != 0 {
                size = 0
                var shift = 0
                while start < temporalUnit.count {
                    let byte = temporalUnit[start]
                    start += 1
                    size |= Int(byte & 0x7F) << shift
                    shift += 7
                    if byte & 0x80 == 0 { break }
                }
            }
            let end = min(start + size, temporalUnit.count)
            let extensions = temporalUnit[(position + 1)..<(position + headerSize)]
            let isSent = ![2, 8, 15].contains(header >> 3 & 15)
            if isSent { units.append([header & ~2] + extensions + temporalUnit[start..<end]) }
            position = end
        }
        return units
    }

    private static func leb128(_ value: Int) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F | 0x80)] + leb128(value >> 7)
    }
}

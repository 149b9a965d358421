package import NIOCore

extension PictureNotes {
    /// A coded picture with these notes in it: before its first slice, or its first frame header.
    ///
    /// `payload` has the shape of `AccessUnit.payload`; what has another is given back as it is. H.264 tells the
    /// time only where its encoder has left room for it (`H264PictureTiming`).
    ///
    /// An orientation holds up to the next keyframe, and is to be given with keyframes only; AV1 has none.
    ///
    /// Source: ITU-T H.264 7.3.2.3, D.1.3, D.1.6, D.1.27; ITU-T H.265 7.3.2.4, D.2.17, D.2.27; AV1 5.8.2, 5.8.7.
    package func written(into payload: ByteBuffer, of codec: VideoFormat.Codec) -> ByteBuffer {
        guard !captions.isEmpty || timecode != nil || orientation != nil else { return payload }
        return switch codec {
        case .h264: writtenBetweenUnits(of: payload, isH264: true) ?? payload
        case .hevc: writtenBetweenUnits(of: payload, isH264: false) ?? payload
        case .av1: writtenBetweenOpenUnits(of: payload) ?? payload
        case .jpegXS: payload
        }
    }

    // MARK: NAL units

    private func writtenBetweenUnits(of payload: ByteBuffer, isH264: Bool) -> ByteBuffer? {
        var result = ByteBuffer(exactCapacity: payload.readableBytes + Self.room)
        var (rest, isWritten, hasTiming) = (payload, false, false)
        while rest.readableBytes > 0 {
            guard let length = rest.readInteger(as: UInt32.self),
                var unit = rest.readSlice(length: Int(length)),
                let first = unit.getInteger(at: unit.readerIndex, as: UInt8.self)
            else { return nil }
            if isH264, timecode != nil, H264PictureTiming.isEmpty(unit.readableBytesView) {
                hasTiming = true
                continue
            }
            let isSlice = isH264 ? (1...5).contains(first & 0x1F) : first >> 1 & 0x3F < 32
            if isSlice, !isWritten {
                isWritten = true
                if let own = isH264 ? h264Unit(hasTiming: hasTiming) : hevcUnit {
                    result.writeInteger(UInt32(own.count))
                    result.writeBytes(own)
                }
            }
            result.writeInteger(length)
            result.writeBuffer(&unit)
        }
        return isWritten ? result : nil
    }

    /// More than notes take, with all that is put in between.
    private static let room = 256

    private func h264Unit(hasTiming: Bool) -> [UInt8]? {
        let timing = hasTiming ? timecode.map(H264PictureTiming.payload) : nil
        return Self.unit(
            [0x06],
            [
                (1, timing), (4, captions.registeredUserData),
                (47, orientation?.payload(isH264: true)),
            ]
        )
    }

    /// Prefix SEI of the base layer.
    private var hevcUnit: [UInt8]? {
        Self.unit(
            [0x4E, 0x01],
            [
                (136, timecode?.hevcPayload), (4, captions.registeredUserData),
                (47, orientation?.payload(isH264: false)),
            ]
        )
    }

    /// An SEI NAL unit of the messages that are there.
    ///
    /// Types and sizes stand in a byte each: none reaches 255.
    private static func unit(_ header: [UInt8], _ messages: [(UInt8, [UInt8]?)]) -> [UInt8]? {
        let written = messages.flatMap { type, payload in
            payload.map { [type, UInt8(clamping: $0.count)] + $0 } ?? []
        }
        return written.isEmpty ? nil : header + AnnexB.escaped(written + [0x80])
    }

    // MARK: Open bitstream units

    private func writtenBetweenOpenUnits(of payload: ByteBuffer) -> ByteBuffer? {
        let bytes = payload.readableBytesUInt8Span
        var rest = 0..<bytes.count
        while !rest.isEmpty {
            guard let unit = try? AV1OpenBitstreamUnit(bytes, in: rest, isWhole: false) else {
                return nil
            }
            if unit.kind == AV1OpenBitstreamUnit.Kind.frameHeader
                || unit.kind == AV1OpenBitstreamUnit.Kind.frame
            {
                break
            }
            rest = unit.payload.upperBound..<bytes.count
        }
        guard !rest.isEmpty else { return nil }
        var result = ByteBuffer(exactCapacity: bytes.count + Self.room)
        result.writeBytes(bytes.extracting(0..<rest.lowerBound).bytes)
        if let timecode { result.writeBytes(Self.metadata(5, timecode.av1Payload)) }
        if let itu = captions.registeredUserData {
            result.writeBytes(Self.metadata(4, itu + [0x80]))
        }
        result.writeBytes(bytes.extracting(rest).bytes)
        return result
    }

    /// An OBU with its size, which does not reach 128.
    private static func metadata(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0x2A, UInt8(clamping: payload.count + 1), type] + payload
    }
}

/// An `a=rtpmap:` line behind its payload type: `H264/90000`, `opus/48000/2`.
struct PayloadMap {
    private static let clockRates = 1...1_000_000
    private static let channelLimit = 255

    /// In lower case: encoding names are compared without regard to it.
    let name: String
    let clockRate: Int
    let channels: Int?

    init?(_ text: Substring) {
        let fields = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(fields.count), let rate = Int(fields[1].trimmingSpaces),
            Self.clockRates.contains(rate)
        else { return nil }
        name = fields[0].lowercased()
        clockRate = rate
        guard fields.count == 3, !fields[2].trimmingSpaces.isEmpty else {
            channels = nil
            return
        }
        guard let count = Int(fields[2].trimmingSpaces), count <= Self.channelLimit else {
            return nil
        }
        channels = count > 0 ? count : nil
    }
}

extension RTPPayloadFormat {
    /// The format that an encoding and its parameters make.
    ///
    /// Interleaved AAC is left out: receiving it would hold back every frame (RFC 3640, 3.2.3).
    ///
    /// Source: RFC 6184, 8.1; RFC 7798, 7.1; RFC 9134, 7.1; RFC 3640, 4.1; RFC 6416, 7.3; RFC 7587, 6.1.
    ///
    /// - Returns: `nil` for an encoding that is not known here.
    init?(_ map: PayloadMap, _ parameters: FormatParameters) throws(MalformedParameter) {
        let encoding: Encoding
        var parameterSets: [[UInt8]] = []
        var interleaving: RTPInterleaving?
        switch map.name {
        case "h264":
            encoding = .h264
            interleaving = try RTPInterleaving(h264: parameters)
            parameterSets = try parameters.units("sprop-parameter-sets")
        case "h265":
            interleaving = try RTPInterleaving(hevc: parameters)
            encoding = .hevc(hasDONL: interleaving != nil)
            for name in ["sprop-vps", "sprop-sps", "sprop-pps"] {
                parameterSets += try parameters.units(name)
            }
        case "av1": encoding = .av1
        case "jxsv": encoding = .jpegXS
        case "mp2t": encoding = .mpegTS
        case "mpeg4-generic": encoding = .aac(try AACPacking(parameters))
        case "mp4a-latm":
            encoding = .latm(
                config: try parameters.hexadecimal("config"),
                isConfigInBand: try parameters.integer("cpresent") ?? 1 != 0
            )
        case "opus": encoding = .opus
        case "l16": encoding = .linearPCM(bits: 16)
        case "l24": encoding = .linearPCM(bits: 24)
        default: return nil
        }
        self.init(
            encoding: encoding,
            clockRate: map.clockRate,
            channels: map.channels,
            parameterSets: parameterSets,
            interleaving: interleaving
        )
    }
}

extension RTPInterleaving {
    /// What `packetization-mode=2` asks for; `nil` in the other modes.
    fileprivate init?(h264 parameters: FormatParameters) throws(MalformedParameter) {
        guard try parameters.integer("packetization-mode") == 2 else { return nil }
        guard let depth = try parameters.integer("sprop-interleaving-depth"),
            try parameters.integer("sprop-deint-buf-req") ?? 0 <= Self.byteLimit
        else { throw MalformedParameter(reason: .interleaving) }
        let difference = try parameters.integer("sprop-max-don-diff")
        try self.init(bounded: depth, countsSlices: true, largestDifference: difference)
    }

    /// What a `sprop-max-don-diff` above 0 asks for; `nil` without.
    fileprivate init?(hevc parameters: FormatParameters) throws(MalformedParameter) {
        guard let difference = try parameters.integer("sprop-max-don-diff"), difference > 0 else {
            return nil
        }
        guard try parameters.integer("sprop-depack-buf-bytes") ?? 0 <= Self.byteLimit else {
            throw MalformedParameter(reason: .interleaving)
        }
        let depth = try parameters.integer("sprop-depack-buf-nalus")
        try self.init(bounded: depth, countsSlices: false, largestDifference: difference)
    }

    private init(
        bounded depth: Int?,
        countsSlices: Bool,
        largestDifference: Int?
    ) throws(MalformedParameter) {
        guard depth ?? 0 <= Self.depthLimit else {
            throw MalformedParameter(reason: .interleaving)
        }
        self.init(depth: depth, countsSlices: countsSlices, largestDifference: largestDifference)
    }
}

extension RTPPayloadFormat.AACPacking {
    private static let lengths = 0...32

    fileprivate init(_ parameters: FormatParameters) throws(MalformedParameter) {
        self.init(
            sizeLength: try parameters.integer("sizelength") ?? 0,
            indexLength: try parameters.integer("indexlength") ?? 0,
            indexDeltaLength: try parameters.integer("indexdeltalength") ?? 0,
            config: try parameters.hexadecimal("config") ?? []
        )
        compositionDeltaLength = try parameters.integer("ctsdeltalength") ?? 0
        decodingDeltaLength = try parameters.integer("dtsdeltalength") ?? 0
        hasRandomAccessIndication = try parameters.integer("randomaccessindication") ?? 0 != 0
        streamStateLength = try parameters.integer("streamstateindication") ?? 0
        auxiliarySizeLength = try parameters.integer("auxiliarydatasizelength") ?? 0
        constantSize = try parameters.integer("constantsize")
        let fields = [
            sizeLength, indexLength, indexDeltaLength, compositionDeltaLength,
            decodingDeltaLength, streamStateLength, auxiliarySizeLength,
        ]
        guard fields.allSatisfy(Self.lengths.contains) else { throw MalformedParameter() }
    }
}

extension MediaDescription.Retransmission {
    /// - Returns: `nil` without `apt`.
    init?(_ parameters: FormatParameters) {
        guard let type = parameters["apt"].flatMap({ UInt8($0) }), type < 128 else { return nil }
        let time = parameters["rtx-time"].flatMap { Int32($0) }
        self.init(
            payloadType: type,
            storageTime: time.map { .milliseconds(max(0, $0)) }
        )
    }
}

package import Media

/// What a caller's `streamid` asks for.
///
/// Shape: a stream name by itself, or the keyed form `#!::r=NAME,u=USER,m=publish`. Values may be
///        percent-encoded, and so may the whole text (ffmpeg passes its query on as it is written).
///        Unknown keys are ignored; without `m` the caller means to publish, as nothing else is
///        served here.
/// Source: SRT Access Control (Stream ID) Guidelines, "General Syntax".
package struct SRTStreamID: Sendable, Equatable {
    package enum Problem: Error, Sendable, Equatable {
        case empty
        case malformed
        case badName(String)
        case modeNotSupported(String)
    }

    /// libsrt carries no more.
    package static let maximumLength = 512

    package let name: StreamName
    /// The user the caller claims to be; it proves nothing.
    package let user: String?

    package init(_ text: String) throws(Problem) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.maximumLength else { throw .malformed }
        if text.hasPrefix("#!::") {
            try self.init(pairs: text.dropFirst(4), isEncoded: true)
            return
        }
        guard let decoded = String(percentDecoding: text) else { throw .malformed }
        if decoded.hasPrefix("#!::") {
            try self.init(pairs: decoded.dropFirst(4), isEncoded: false)
            return
        }
        guard !decoded.hasPrefix("#!") else { throw .malformed }
        try self.init(name: decoded, user: nil)
    }

    private init(pairs: Substring, isEncoded: Bool) throws(Problem) {
        var values: [Substring: String] = [:]
        for pair in pairs.split(separator: ",") {
            guard let equals = pair.firstIndex(of: "=") else { throw .malformed }
            let raw = pair[pair.index(after: equals)...]
            let value = isEncoded ? String(percentDecoding: raw) : String(raw)
            guard let value, values.updateValue(value, forKey: pair[..<equals]) == nil else {
                throw .malformed
            }
        }
        if let mode = values["m"], mode != "publish" { throw .modeNotSupported(mode) }
        if let type = values["t"], type != "stream" { throw .modeNotSupported(type) }
        guard let text = values["r"], !text.isEmpty else { throw .empty }
        try self.init(name: text, user: values["u"])
    }

    private init(name text: String, user: String?) throws(Problem) {
        guard let name = StreamName(text) else { throw .badName(text) }
        self.name = name
        self.user = user
    }
}

extension SRTStreamID.Problem {
    package var refusal: PublishRefusal {
        switch self {
        case .empty, .malformed, .badName: .badName
        case .modeNotSupported: .modeNotSupported
        }
    }

    /// What the operator of the encoder should change.
    package var cure: String {
        switch self {
        case .empty:
            "the caller sent no stream name: set streamid=NAME in its SRT URL"
        case .malformed:
            "write the streamid as NAME or as #!::r=NAME,m=publish"
        case .badName:
            "a stream name is 1 to 64 letters, digits, '-' or '_' and begins with a letter or digit"
        case .modeNotSupported:
            "this port takes publishers only: set m=publish, or leave m out"
        }
    }
}

package import HTTPTypes

/// How a playlist is sent: as it is, or compressed.
///
/// Source: RFC 9110, 12.5.3 (Accept-Encoding), 12.4.2 (quality values).
package enum ContentCoding: Sendable, Equatable {
    case identity
    case gzip

    /// gzip when the client takes it at least as gladly as the plain form.
    package init(accepting headers: HTTPFields) {
        guard let field = headers[.acceptEncoding] else {
            self = .identity
            return
        }
        var gzip: Double?
        var identity: Double?
        var others: Double?
        for item in field.split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.trimmingSpaces() }
            guard let name = parts.first?.lowercased() else { continue }
            let quality = Self.quality(of: parts.dropFirst())
            switch name {
            case "gzip", "x-gzip": gzip = quality
            case "identity": identity = quality
            case "*": others = quality
            default: continue
            }
        }
        let wish = gzip ?? others ?? 0
        self = wish > 0 && wish >= (identity ?? 0) ? .gzip : .identity
    }

    private static func quality(of parameters: ArraySlice<Substring>) -> Double {
        for parameter in parameters where parameter.lowercased().hasPrefix("q=") {
            guard let value = Double(parameter.dropFirst(2)), value.isFinite else { return 0 }
            return min(max(value, 0), 1)
        }
        return 1
    }
}

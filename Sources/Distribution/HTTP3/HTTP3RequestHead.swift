package import HTTPTypes

/// The header section of one request, field by field.
///
/// nghttp3 has checked before: pseudo-header fields are known, come first, once, and those that must
/// be there are; names are lower case; no connection-specific field; `content-length` is what came.
/// Here: bounds, that authority and Host do not contradict each other, and names and values that the
/// rest of the server can hold.
///
/// Bound: `maxBytes` (counted as RFC 9114, 4.2.2 does: 32 for each field), `maxFields`.
/// Source: RFC 9114, 4.3.1.
package struct HTTP3RequestHead {
    package enum Outcome: Sendable, Equatable {
        case request(HTTPRequest)
        /// 431 (RFC 6585, 5).
        case tooLarge
        /// RFC 9114, 4.1.2: a stream error of type H3_MESSAGE_ERROR.
        case malformed
    }

    private let maxBytes: Int
    private let maxFields: Int
    private var bytes = 0
    private var fieldCount = 0
    private var isTooLarge = false
    private var isMalformed = false
    private var method: HTTPRequest.Method?
    private var scheme: String?
    private var authority: String?
    private var path: String?
    private var host: String?
    private var fields = HTTPFields()
    /// What the client asks for itself (RFC 9218, 5).
    package private(set) var hasPriority = false

    package init(maxBytes: Int, maxFields: Int) {
        self.maxBytes = maxBytes
        self.maxFields = maxFields
    }

    package mutating func add(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        bytes += name.count + value.count + 32
        fieldCount += 1
        guard !isTooLarge, bytes <= maxBytes, fieldCount <= maxFields else {
            isTooLarge = true
            fields = HTTPFields()
            return
        }
        let text = String(decoding: value, as: UTF8.self)
        guard name.first == UInt8(ascii: ":") else {
            guard let name = HTTPField.Name(String(decoding: name, as: UTF8.self)),
                HTTPField.isValidValue(value)
            else {
                isMalformed = true
                return
            }
            guard name.canonicalName != "host" else {
                host = text
                return
            }
            if name == .priority { hasPriority = true }
            fields.append(HTTPField(name: name, value: text))
            return
        }
        switch String(decoding: name, as: UTF8.self) {
        case ":method": method = HTTPRequest.Method(text)
        case ":scheme": scheme = text
        case ":authority": authority = text
        case ":path": path = text
        default: isMalformed = true
        }
    }

    package consuming func finish() -> Outcome {
        guard !isTooLarge else { return .tooLarge }
        guard !isMalformed, let method else { return .malformed }
        if let authority, let host, authority != host { return .malformed }
        let authority = authority ?? host
        guard authority != "" else { return .malformed }
        return .request(
            HTTPRequest(
                method: method,
                scheme: scheme,
                authority: authority,
                path: path,
                headerFields: fields
            )
        )
    }
}

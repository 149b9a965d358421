import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// A file the console sends: its bytes, held once, with the headers that belong to them.
struct WebAsset: Sendable {
    enum Lifetime: String, Sendable {
        /// Asked about each time, answered 304 while it is the same.
        case revalidated = "no-cache"
        /// The URL changes when the bytes do.
        case immutable = "public, max-age=31536000, immutable"
    }

    let body: ByteBuffer
    let etag: String
    let contentType: String
    let lifetime: Lifetime

    init(_ bytes: [UInt8], contentType: String, lifetime: Lifetime = .revalidated) {
        body = ByteBuffer(bytes: bytes)
        etag = "\"\(SHA256.hash(data: bytes).hexadecimal.prefix(16))\""
        self.contentType = contentType
        self.lifetime = lifetime
    }

    /// The whole file, or 304 when the browser has it already.
    func response(to request: Request) -> Response {
        var headers = Self.securityHeaders
        headers[.eTag] = etag
        headers[.cacheControl] = lifetime.rawValue
        if let known = request.headers[.ifNoneMatch], known == "*" || known.contains(etag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = contentType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// Only what this server serves may run, and no inline script.
    ///
    /// `blob:` is how Media Source Extensions give the video element its media.
    private static let securityHeaders: HTTPFields = {
        var headers = HTTPFields()
        headers[.contentSecurityPolicy] =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            + "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'self'"
        headers[.xContentTypeOptions] = "nosniff"
        if let referrerPolicy = HTTPField.Name("Referrer-Policy") {
            headers[referrerPolicy] = "same-origin"
        }
        return headers
    }()
}

extension Digest {
    /// Two lower-case digits a byte.
    var hexadecimal: String {
        var text = ""
        for byte in self {
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }
}

package import HTTPTypes

/// The conditions of a request, held against the entity tag, or the date, of what would be sent.
///
/// Source: RFC 9110, 13.1.2 (If-None-Match), 13.1.3 (If-Modified-Since), 13.1.5 (If-Range), 8.8.3.2 (comparison).
package enum ConditionalRequest {
    /// The client holds this representation already: 304.
    ///
    /// Dates count where there is no tag, and match when they are those that were sent.
    package static func isNotModified(
        _ headers: HTTPFields,
        entityTag: String,
        lastModified: String? = nil
    ) -> Bool {
        guard let field = headers[.ifNoneMatch] else {
            return lastModified.map { $0 == headers[.ifModifiedSince] } ?? false
        }
        let wanted = opaque(entityTag[...])
        return field.split(separator: ",").contains { item in
            let item = item.trimmingSpaces()
            return item == "*" || opaque(item) == wanted
        }
    }

    /// A `Range` counts only while the representation is the one the client has the rest of.
    ///
    /// Weak tags and dates never match: the strong comparison is asked for, and what has ranges has no date.
    static func rangeApplies(_ headers: HTTPFields, entityTag: String) -> Bool {
        guard let condition = headers[.ifRange] else { return true }
        return condition == entityTag && !entityTag.hasPrefix("W/")
    }

    private static func opaque(_ tag: Substring) -> Substring {
        tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
    }
}

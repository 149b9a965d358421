import HTTPTypes

/// The conditions of a request, held against the entity tag of what would be sent.
///
/// Source: RFC 9110, 13.1.2 (If-None-Match), 13.1.5 (If-Range), 8.8.3.2 (comparison).
enum ConditionalRequest {
    /// The client holds this representation already: 304.
    static func isNotModified(_ headers: HTTPFields, entityTag: String) -> Bool {
        guard let field = headers[.ifNoneMatch] else { return false }
        let wanted = opaque(entityTag[...])
        return field.split(separator: ",").contains { item in
            let item = item.trimmingSpaces()
            return item == "*" || opaque(item) == wanted
        }
    }

    /// A `Range` counts only while the representation is the one the client has the rest of.
    ///
    /// Weak tags and dates never match: the strong comparison is asked for, and no dates are sent.
    static func rangeApplies(_ headers: HTTPFields, entityTag: String) -> Bool {
        guard let condition = headers[.ifRange] else { return true }
        return condition == entityTag && !entityTag.hasPrefix("W/")
    }

    private static func opaque(_ tag: Substring) -> Substring {
        tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
    }
}

import CNghttp3
import HTTPTypes

/// The header section of an answer, as C wants it: all its bytes in one array, and where each name and
/// value begins.
struct HTTP3FieldSection {
    private var bytes: [UInt8] = []
    private var fields: [(name: Range<Int>, value: Range<Int>)] = []

    init(_ head: HTTPResponse) {
        bytes.reserveCapacity(1024)
        fields.reserveCapacity(head.headerFields.count + 1)
        add(":status", "\(head.status.code)")
        for field in head.headerFields { add(field.name.canonicalName, field.value) }
    }

    private mutating func add(_ name: String, _ value: String) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8)
        let middle = bytes.count
        bytes.append(contentsOf: value.utf8)
        fields.append((start..<middle, middle..<bytes.count))
    }

    /// The pointers are good for the duration of `body`; nghttp3 copies what it keeps.
    func withFields<Value>(
        _ body: (UnsafeBufferPointer<nghttp3_nv>) throws -> Value
    ) rethrows -> Value {
        try bytes.withUnsafeBufferPointer { bytes in
            let base = UnsafeMutablePointer(mutating: bytes.baseAddress)
            let fields = fields.map { field in
                nghttp3_nv(
                    name: base?.advanced(by: field.name.lowerBound),
                    value: base?.advanced(by: field.value.lowerBound),
                    namelen: field.name.count,
                    valuelen: field.value.count,
                    flags: UInt8(NGHTTP3_NV_FLAG_NONE)
                )
            }
            return try fields.withUnsafeBufferPointer(body)
        }
    }
}

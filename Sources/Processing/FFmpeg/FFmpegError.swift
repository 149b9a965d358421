import CFFmpeg

/// What FFmpeg could not do, in its own words.
package struct FFmpegError: Error, CustomStringConvertible {
    package let operation: String
    package let code: Int32

    /// `code` is one of FFmpeg, or a negative `errno`.
    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// Takes what a call returned.
    ///
    /// To be made in the same statement as the call. Negative values are thrown.
    static func check(_ result: Int32, _ operation: String) throws(FFmpegError) {
        guard result >= 0 else { throw FFmpegError(operation: operation, code: result) }
    }

    /// For calls that return nothing but a pointer: it is missing when memory is.
    static func unwrap<Value>(
        _ pointer: Value?,
        _ operation: String
    ) throws(FFmpegError) -> Value {
        guard let pointer else { throw FFmpegError(operation: operation, code: -ENOMEM) }
        return pointer
    }

    package var description: String {
        // Our own words, which say it all.
        guard code != mirror_error_not_there else { return operation }
        var text = [CChar](repeating: 0, count: 128)
        av_strerror(code, &text, text.count)
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return "\(operation): \(String(decoding: bytes, as: UTF8.self))"
    }
}

/// Why there is no slate, in words for whoever configured it.
package struct SlateError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// The file cannot be read, or is larger than it may be.
        case file
        /// What the file holds is no picture and no clip, or damaged.
        case picture
        /// No encoder makes what the stream has.
        case format
        /// The encoder gave up, or what it made is not what was asked for.
        case encoder
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

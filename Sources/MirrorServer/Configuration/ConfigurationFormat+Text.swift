import Ingestion
import Media

extension ConfigurationFormat where Value == String {
    static func text(_ shape: String) -> ConfigurationFormat {
        ConfigurationFormat(
            shape: shape,
            parse: { text throws(ConfigurationMismatch) in
                guard !text.isEmpty else { throw ConfigurationMismatch("is empty") }
                return text
            },
            write: \.quoted
        )
    }

    static let address = ConfigurationFormat(
        shape: "an IPv4 or IPv6 address of this machine",
        parse: { text throws(ConfigurationMismatch) in
            guard IPAddress(text) != nil else { throw ConfigurationMismatch("is no IP address") }
            return text
        },
        write: \.quoted
    )
}

extension ConfigurationFormat {
    /// A value that is written as text and read back by its own initialiser.
    private static func described(
        _ shape: String,
        otherwise mismatch: String,
        read: @escaping @Sendable (String) -> Value?
    ) -> ConfigurationFormat where Value: CustomStringConvertible {
        ConfigurationFormat(
            shape: shape,
            parse: { text throws(ConfigurationMismatch) in
                guard let value = read(text) else { throw ConfigurationMismatch(mismatch) }
                return value
            },
            write: \.description.quoted
        )
    }
}

extension ConfigurationFormat where Value == IPAddress {
    static let ipAddress = described(
        "an IPv4 or IPv6 address",
        otherwise: "is no IP address",
        read: IPAddress.init
    )
}

extension ConfigurationFormat where Value == AddressRange {
    static let addressRange = described(
        "an address or a prefix, as in 192.0.2.7 or 10.0.0.0/8",
        otherwise: "is neither an address nor a prefix",
        read: AddressRange.init
    )
}

extension ConfigurationFormat where Value == String? {
    /// Empty text sets none.
    static let optionalPath = ConfigurationFormat(
        shape: "a path, or \"\" for none",
        parse: { text throws(ConfigurationMismatch) in text.isEmpty ? nil : text },
        write: { $0.map(\.quoted) ?? Self.nothing }
    )
}

extension ConfigurationFormat where Value: CaseIterable & RawRepresentable<String> {
    static var choice: ConfigurationFormat {
        let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return ConfigurationFormat(
            shape: "one of \(names)",
            parse: { text throws(ConfigurationMismatch) in
                guard let value = Value(rawValue: text) else {
                    throw ConfigurationMismatch("is not one of them")
                }
                return value
            },
            write: { value in
                // A bare 1.3 would be a number to other readers of the file.
                value.rawValue.first?.isNumber ?? true ? value.rawValue.quoted : value.rawValue
            }
        )
    }
}

extension ConfigurationFormat where Value == Secret {
    /// The bounds are SRT's (SRTO_PASSPHRASE).
    static let passphrase = ConfigurationFormat(
        shape: "10 to 79 bytes of text",
        isSecret: true,
        parse: { text throws(ConfigurationMismatch) in
            guard (10...79).contains(text.utf8.count) else {
                throw ConfigurationMismatch("is \(text.utf8.count) bytes long")
            }
            return Secret(text)
        },
        write: \.description.quoted
    )
}

extension ConfigurationFormat where Value == Secret? {
    /// Empty text sets none.
    static let optionalPassphrase = ConfigurationFormat(
        shape: "\(ConfigurationFormat<Secret>.passphrase.shape), or \"\" for none",
        read: { node, findings in
            if node.content == .text("") { return .some(nil) }
            return ConfigurationFormat<Secret>.passphrase.read(node, &findings)
        },
        write: ConfigurationFormat<Secret>.passphrase.optional.write
    )
}

extension ConfigurationFormat where Value == StreamPattern {
    static let pattern = described(
        "a stream name, or a pattern of names with ? and *",
        otherwise: "can match no stream name",
        read: StreamPattern.init
    )
}

extension ConfigurationFormat where Value == StreamName {
    static let streamName = described(
        "a stream name: a letter or digit, then up to 63 letters, digits, _ or -",
        otherwise: "is no stream name",
        read: StreamName.init
    )
}

extension ConfigurationFormat where Value == SRTURL {
    static let srtURL = ConfigurationFormat(
        shape: "srt://host:port, with ?streamid=… where the listener asks for one",
        // It may have a passphrase in it.
        isSecret: true,
        parse: { text throws(ConfigurationMismatch) in
            do throws(SRTURL.Problem) {
                return try SRTURL(text)
            } catch {
                throw ConfigurationMismatch("cannot be used: \(error)")
            }
        },
        write: \.description.quoted
    )
}

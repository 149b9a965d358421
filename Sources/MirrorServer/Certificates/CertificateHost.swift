package import Ingestion
import SwiftASN1
import X509

/// A name or an address that a certificate is good for.
package enum CertificateHost: Sendable, Hashable {
    case name(String)
    case address(IPAddress)

    /// - Returns: `nil` when the text is neither an IP address nor a DNS name. The leftmost label may
    ///   be `*`.
    package init?(_ text: String) {
        if let address = IPAddress(text) {
            self = .address(address)
            return
        }
        let labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        let areValid = labels.enumerated().allSatisfy { index, label in
            if index == 0, label == "*", labels.count > 2 { return true }
            return !label.isEmpty && label.utf8.count <= 63
                && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        }
        guard areValid, text.utf8.count <= 253 else { return nil }
        self = .name(text.lowercased())
    }

    /// RFC 5280, 4.2.1.6.
    var generalName: GeneralName {
        switch self {
        case .name(let name): .dnsName(name)
        case .address(let address):
            .ipAddress(ASN1OctetString(contentBytes: address.bytes[...]))
        }
    }
}

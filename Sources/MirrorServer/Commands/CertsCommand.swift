import ArgumentParser
import Foundation

/// `mirror certs`: makes a local certificate authority and a certificate to try Mirror with.
struct CertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certs",
        abstract: "Makes a certificate for this machine, and the authority that signs it.",
        discussion: """
            Writes ca.pem, ca-key.pem, cert.pem and key.pem, and leaves what is there. The certificate \
            is good for localhost, 127.0.0.1, ::1 and the hosts named, for 396 days. To renew it under \
            the same authority, delete cert.pem and key.pem and run this again.
            """
    )

    @Option(help: "The folder to write to.")
    var out = "./certs"

    @Flag(help: "Makes all four files anew, the authority too.")
    var force = false

    @Option(name: .customLong("host"), help: "One more name or address it is good for.")
    var hosts: [String] = []

    func run() throws {
        let folder = CertificateFolder(path: out)
        print(try folder.fill(hosts: hosts, isForced: force, now: Date()).summary)
    }
}

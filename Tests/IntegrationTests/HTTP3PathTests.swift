import Foundation
import TestSupport
import Testing

/// HTTP/3 over networks that are not a loopback: what they drop, mark and forbid.
@Suite struct HTTP3PathTests {
    /// The largest file that is there without a publisher: some hundred datagrams.
    private static let file = "/assets/hls.min.js"

    private struct NotWhole: Error, CustomStringConvertible {
        let description: String
    }

    private struct Path: CustomTestStringConvertible {
        let mtu: Int
        let family: RoutedNetwork.Family
        var serverMTU = 1_500
        /// The payload of the datagrams that it ends at.
        let longest: Int

        var testDescription: String { "\(family), MTU \(mtu) after \(serverMTU)" }
    }

    private static let paths = [
        Path(mtu: 1_280, family: .ipv4, longest: 1_232),
        Path(mtu: 1_280, family: .ipv6, longest: 1_232),
        Path(mtu: 1_400, family: .ipv4, longest: 1_342),
        Path(mtu: 1_400, family: .ipv6, longest: 1_342),
        // What the system of the server itself does not send.
        Path(mtu: 1_500, family: .ipv4, serverMTU: 1_400, longest: 1_342),
        Path(mtu: 1_500, family: .ipv4, longest: 1_444),
        Path(mtu: 9_000, family: .ipv6, serverMTU: 9_000, longest: 1_444),
    ]

    @Test(arguments: paths)
    private func datagramsBecomeAsLongAsThePathCarries(path: Path) async throws {
        let network = try await RoutedNetwork(mtu: path.mtu, serverMTU: path.serverMTU)
        let mirror = try await MirrorProcess(in: network)
        let bytes = path.longest + path.family.headerBytes
        try await network.add(
            table: "lengths",
            """
            counter longest {}
            counter longer {}
            chain input {
                type filter hook input priority 0
                udp sport \(mirror.http3Port) meta length \(bytes) counter name longest
                udp sport \(mirror.http3Port) meta length > \(bytes) counter name longer
            }
            """,
            at: .client
        )
        // The search has ended before there is anything to send.
        try await fetch(from: mirror, in: network, path.family, after: .seconds(2))
        #expect(try await network.count("longest", of: "lengths", at: .client) > 250)
        #expect(try await network.count("longer", of: "lengths", at: .client) == 0)
        #expect(mirror.process.isRunning)
    }

    /// Nobody says so: routers that drop and are silent are common.
    @Test func aPathThatComesToCarryLessSwallowsNoAnswer() async throws {
        let network = try await RoutedNetwork()
        try await network.add(
            table: "silence",
            """
            chain output {
                type filter hook output priority 0
                icmp type destination-unreachable drop
            }
            """,
            at: .router
        )
        let mirror = try await MirrorProcess(in: network)
        try await network.add(
            table: "lengths",
            """
            counter longest {}
            chain input {
                type filter hook input priority 0
                udp sport \(mirror.http3Port) meta length 1472 counter name longest
            }
            """,
            at: .client
        )
        async let whole = fetch(from: mirror, in: network, after: .seconds(3))
        let isWide = try await eventually {
            try await network.count("longest", of: "lengths", at: .client) > 0
        }
        #expect(isWide)
        try await network.narrow(to: 1_280)
        _ = try await whole
        let isTold = try await eventually {
            try await metrics(of: mirror, in: network)["mirror_quic_narrowed_paths_total"] == 1
        }
        #expect(isTold)
    }

    // MARK: Congestion marks

    /// A queue of 30 kB before a line of 20 Mbit/s: without marks it overflows.
    @Test func aSenderSlowsDownByMarksBeforeAnythingIsDropped() async throws {
        let network = try await RoutedNetwork()
        let mirror = try await MirrorProcess(
            yaml: "server: { http3: { congestion_control: cubic } }",
            in: network
        )
        try await network.run(
            "tc qdisc add dev client root tbf rate 20mbit burst 20kb limit 30kb",
            at: .router
        )
        try await fetch(from: mirror, in: network)
        let dropped = try await droppedDatagrams(in: network)
        #expect(dropped > 0)
        try await network.add(
            table: "marks",
            """
            counter marked {}
            chain prerouting {
                type filter hook prerouting priority 0
                iif server ip ecn ect0 numgen inc mod 2 == 0 ip ecn set ce
                iif client ip ecn ect0 numgen inc mod 2 == 0 ip ecn set ce
            }
            chain postrouting {
                type filter hook postrouting priority 0
                udp sport \(mirror.http3Port) ip ecn ce counter name marked
            }
            """,
            at: .router
        )
        let log = try await fetch(from: mirror, in: network)
        #expect(try await network.count("marked", of: "marks", at: .router) > 5)
        #expect(try await droppedDatagrams(in: network) == dropped)
        // What the server makes of marks on what comes: it tells the client.
        #expect(log.contains("path is ECN capable"))
        #expect(log.contains(/frm rx .* ACK\(0x03\) ect0=\d+ ect1=0 ce=[1-9]/))
        let isCounted = try await eventually {
            try await metrics(of: mirror, in: network)
                .total("mirror_quic_congestion_marks_total") > 0
        }
        #expect(isCounted)
    }

    @Test func wherePathsWipeMarksOutAConnectionGoesOnWithout() async throws {
        let network = try await RoutedNetwork()
        let mirror = try await MirrorProcess(in: network)
        try await network.add(
            table: "marks",
            """
            counter markable {}
            chain prerouting {
                type filter hook prerouting priority 0
                iif server ip ecn ect0 counter name markable
                ip ecn set not-ect
            }
            """,
            at: .router
        )
        try await fetch(from: mirror, in: network)
        #expect((1...10).contains(try await network.count("markable", of: "marks", at: .router)))
        var page = Metrics("")
        _ = try await eventually {
            page = try await metrics(of: mirror, in: network)
            return page.total("mirror_quic_sent_packets_total") > 300
        }
        #expect((1...10).contains(page.total("mirror_quic_markable_packets_total")))
    }

    private func droppedDatagrams(in network: RoutedNetwork) async throws -> Int {
        let text = try await network.run("tc -s qdisc show dev client", at: .router)
        let dropped = try #require(text.firstMatch(of: /dropped (\d+)/))
        return Int(dropped.1) ?? -1
    }

    // MARK: What may not be sent

    /// An answer to port 0 is an error of the socket, as one that a firewall does not let out; both are no
    /// reason to be closed to all others.
    @Test func whatCannotBeAnsweredLeavesTheDoorOpen() async throws {
        let network = try await RoutedNetwork()
        let mirror = try await MirrorProcess(in: network)
        let program = MirrorProcess.project.appending(path: "Tests/Programs/port_zero.py").path
        try await network.run(
            "python3 \(program) \(RoutedNetwork.Family.ipv4.server) \(mirror.http3Port)",
            at: .client
        )
        let isDropped = try await eventually {
            try await metrics(of: mirror, in: network)["mirror_quic_dropped_packets_total"] == 50
        }
        #expect(isDropped)
        try await fetch(from: mirror, in: network)
        var page = try await metrics(of: mirror, in: network)
        #expect(page["mirror_quic_reopened_sockets_total"] == 0)

        try await network.add(
            table: "firewall",
            """
            chain output {
                type filter hook output priority 0
                udp sport \(mirror.http3Port) drop
            }
            """,
            at: .server
        )
        await #expect(throws: (any Error).self) {
            try await fetch(from: mirror, in: network, atMost: .seconds(2))
        }
        try await network.run("nft delete table inet firewall", at: .server)
        for _ in 0..<4 { try await fetch(from: mirror, in: network) }
        let isReplaced = try await eventually {
            page = try await metrics(of: mirror, in: network)
            return page.total("mirror_quic_reopened_sockets_total") > 0
        }
        #expect(isReplaced)
    }

    // MARK: The client

    /// Asks with gtlsclient for the file, and compares it.
    ///
    /// The request follows `pause` after the handshake.
    ///
    /// - Returns: What the client has to say.
    /// - Throws: When the file does not come within `limit`, whole and right.
    @discardableResult
    private func fetch(
        from mirror: MirrorProcess,
        in network: RoutedNetwork,
        _ family: RoutedNetwork.Family = .ipv4,
        after pause: Duration = .zero,
        atMost limit: Duration = .seconds(20)
    ) async throws -> String {
        let folder = mirror.folder.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let client = try ExternalProcess(
            "env",
            network.command(at: .client) + [
                "gtlsclient", "--no-quic-dump", "--no-http-dump", "--exit-on-all-streams-close",
                "--disable-early-data", "--delay-stream=\(Int(pause / .milliseconds(1)))ms",
                "--download=\(folder.path)", family.server, "\(mirror.http3Port)",
                "https://localhost:\(mirror.http3Port)\(Self.file)",
            ]
        )
        let result = await client.wait(atMost: limit)
        let file = try Data(contentsOf: folder.appending(path: "hls.min.js"))
        let original = MirrorProcess.project.appending(path: ".cache/web/hls.min.js")
        guard result.status == 0, try file == Data(contentsOf: original) else {
            throw NotWhole(
                description: "\(file.count) bytes came:\n\(result.errors.suffix(2_000))"
            )
        }
        return result.errors
    }

    private func metrics(
        of mirror: MirrorProcess,
        in network: RoutedNetwork
    ) async throws -> Metrics {
        let address = "http://127.0.0.1:\(mirror.metricsPort)/metrics"
        return Metrics(try await network.run("curl --silent --fail \(address)", at: .server))
    }
}

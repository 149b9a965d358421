import Foundation

/// A server, a router and a client, each on a network of its own: what a loopback hides, happens here.
///
///     server 10.77.1.1, fd77:1::1 ── router ── 10.77.2.1, fd77:2::1 client
///
/// Each is a network namespace with the lifetime of one process, which ends with this, and with the process
/// of the tests: nothing is left behind. Making them takes root, or a system that lets everybody be root of a
/// user namespace.
package final class RoutedNetwork: Sendable {
    package enum Place: CaseIterable, Sendable {
        case server
        case router
        case client
    }

    package enum Family: Sendable {
        case ipv4
        case ipv6

        /// Where the client finds the server.
        package var server: String {
            switch self {
            case .ipv4: "10.77.1.1"
            case .ipv6: "fd77:1::1"
            }
        }

        /// What a datagram has beside its payload, UDP's own header included.
        package var headerBytes: Int {
            switch self {
            case .ipv4: 28
            case .ipv6: 48
            }
        }
    }

    /// They wait for the end of their input, which the end of the tests is, however that comes.
    private let holders: [Place: ExternalProcess]
    private let input = Pipe()
    /// The words before a program's name that make it run as who owns the networks.
    private let owner: [String]

    /// `mtu` is that of the client's link, `serverMTU` that of the server's.
    package init(mtu: Int = 1_500, serverMTU: Int = 1_500) async throws {
        // Who is not root has to be root of a user namespace first.
        let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
        let server = try await Self.hold(["unshare"] + user, until: input)
        let entry = ["--user=/proc/\(server.identifier)/ns/user", "--preserve-credentials"]
        owner = ["nsenter"] + (user.isEmpty ? [] : entry)
        holders = [
            .server: server,
            .router: try await Self.hold(owner + ["unshare"], until: input),
            .client: try await Self.hold(owner + ["unshare"], until: input),
        ]
        try await connect(mtu: mtu, serverMTU: serverMTU)
    }

    private static func hold(
        _ command: [String],
        until input: Pipe
    ) async throws -> ExternalProcess {
        let holder = try ExternalProcess(
            "env",
            command + ["--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
            input: input.fileHandleForReading
        )
        _ = try await eventually { !holder.output.isEmpty || !holder.isRunning }
        guard !holder.output.isEmpty else {
            let words = await holder.wait(atMost: .zero).errors
            throw ExternalProcess.Failure(
                description: """
                    A test that makes networks of its own cannot make them: run the tests as root (in a container, \
                    one that is started with --privileged) or where user namespaces are allowed, after \
                    scripts/setup test. \(words)
                    """
            )
        }
        return holder
    }

    private func connect(mtu: Int, serverMTU: Int) async throws {
        let router = holders[.router]?.identifier ?? 0
        try await run(
            """
            ip link add net0 type veth peer name server netns \(router)
            ip link set net0 mtu \(serverMTU) up
            ip address add 10.77.1.1/24 dev net0
            ip address add fd77:1::1/64 dev net0 nodad
            """,
            at: .server
        )
        try await run(
            """
            ip link add net0 type veth peer name client netns \(router)
            ip link set net0 mtu \(mtu) up
            ip address add 10.77.2.1/24 dev net0
            ip address add fd77:2::1/64 dev net0 nodad
            """,
            at: .client
        )
        // Whatever the server sends in one write reaches the client as the datagrams that it is.
        try await run(
            """
            ip link set server mtu \(serverMTU) up
            ip link set client mtu \(mtu) gso_max_segs 1 up
            ip address add 10.77.1.2/24 dev server
            ip address add 10.77.2.2/24 dev client
            ip address add fd77:1::2/64 dev server nodad
            ip address add fd77:2::2/64 dev client nodad
            echo 1 > /proc/sys/net/ipv4/ip_forward
            echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
            """,
            at: .router
        )
        for (place, number) in [(Place.server, 1), (.client, 2)] {
            try await run(
                """
                ip route add default via 10.77.\(number).2
                ip -6 route add default via fd77:\(number)::2
                """,
                at: place
            )
        }
    }

    /// The words before a program's name that make it run at `place`.
    package func command(at place: Place) -> [String] {
        owner + ["--net=/proc/\(holders[place]?.identifier ?? 0)/ns/net"]
    }

    /// Runs commands of the shell, all of which have to succeed.
    @discardableResult
    package func run(_ commands: String, at place: Place) async throws -> String {
        try await ExternalProcess.run(
            "env",
            command(at: place) + ["sh", "-e", "-c", commands]
        ).text
    }

    /// From here on the link of the client carries no more than that.
    package func narrow(to mtu: Int) async throws {
        try await run("ip link set client mtu \(mtu)", at: .router)
        try await run("ip link set net0 mtu \(mtu)", at: .client)
    }

    /// Adds a table of nftables, `inet NAME`; the names of counters are the caller's.
    package func add(table name: String, _ rules: String, at place: Place) async throws {
        try await run("nft 'table inet \(name) {\n\(rules)\n}'", at: place)
    }

    /// What a named counter of a table has counted: packets.
    package func count(_ counter: String, of table: String, at place: Place) async throws -> Int {
        let text = try await run("nft list counter inet \(table) \(counter)", at: place)
        return text.firstMatch(of: /packets (\d+)/).flatMap { Int($0.1) } ?? 0
    }
}

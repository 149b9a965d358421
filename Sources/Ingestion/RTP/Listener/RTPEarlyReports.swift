import Media

/// What senders that are not on air yet said of their clocks and of themselves.
///
/// Bound: the newest 64 packets, for ten seconds; a session passes over those of SSRCs it does not get.
struct RTPEarlyReports {
    private static let limit = 64
    private static let lifetime = Duration.seconds(10)

    private var reports: [(address: IPAddress, arrival: WallTime, report: RTCPPacket)] = []

    mutating func note(_ new: [RTCPPacket], from address: IPAddress, arrival: WallTime) {
        for report in new {
            switch report {
            case .senderReport, .sourceDescription: reports.append((address, arrival, report))
            case .receiverReport, .bye, .feedback: break
            }
        }
        if reports.count > Self.limit { reports.removeFirst(reports.count - Self.limit) }
    }

    /// Those from an address, the oldest first.
    func of(_ address: IPAddress, now: WallTime) -> [RTCPPacket] {
        reports
            .filter { $0.address == address && now.duration(since: $0.arrival) < Self.lifetime }
            .map(\.report)
    }
}

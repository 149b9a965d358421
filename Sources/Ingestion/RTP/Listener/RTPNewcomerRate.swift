import Media

/// How many newcomers there were in this second.
///
/// Bound: as many addresses as newcomers in all.
struct RTPNewcomerRate: Sendable {
    private var second: Int64 = 0
    private var all = 0
    private var byAddress: [IPAddress: Int] = [:]

    mutating func take(
        _ address: IPAddress,
        at arrival: WallTime,
        _ limits: RTPSourceTable.Limits
    ) -> Bool {
        let now = arrival.microsecondsSinceEpoch / 1_000_000
        if now != second {
            second = now
            all = 0
            byAddress.removeAll(keepingCapacity: true)
        }
        guard all < limits.newcomersPerSecond,
            byAddress[address, default: 0] < limits.newcomersPerSecondAndAddress
        else { return false }
        all += 1
        byAddress[address, default: 0] += 1
        return true
    }
}

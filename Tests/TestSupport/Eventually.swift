/// Asks again and again until a condition holds: for what another process does in its own time.
///
/// - Returns: Whether it held within the limit, which is generous: it is only waited for in full by a
///   test that fails.
package func eventually(
    within limit: Duration = .seconds(20),
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while true {
        if try await condition() { return true }
        guard ContinuousClock.now < deadline else { return false }
        try await Task.sleep(for: .milliseconds(50))
    }
}

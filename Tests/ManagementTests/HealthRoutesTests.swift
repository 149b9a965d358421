import HTTPTypes
import HummingbirdTesting
import Management
import NIOCore
import TestSupport
import Testing

@Suite struct HealthRoutesTests {
    @Test(arguments: HealthSnapshot.Status.allCases)
    func readinessFollowsTheStatus(status: HealthSnapshot.Status) async throws {
        let check = HealthSnapshot.Check(name: "srt", isPassing: false, message: "port in use")
        let fixture = ManagementFixture(health: HealthSnapshot(status: status, checks: [check]))
        let ready = try await fixture.get("/health/ready")
        let takesWork = status == .ready || status == .degraded
        #expect(ready.status == (takesWork ? .ok : .serviceUnavailable))
        #expect(try ready.json["status"]?.string == status.rawValue)
        #expect(try ready.json["checks"]?[0]?["message"] == "port in use")
        #expect(try await fixture.get("/health/live").status == .ok)
    }
}

import Distribution
import HTTPTypes
import HummingbirdTesting
import Management
import Media
import TestSupport
import Testing

@Suite struct QualityRoutesTests {
    private static let path = "/api/v1/streams/stage/transcoding/quality"

    @Test func figuresOfEachSizeAreSent() async throws {
        let rung = QualitySnapshot.Rung(
            id: "video-720p",
            pictures: 60,
            meanPsnrDecibels: 41.25,
            minimumPsnrDecibels: 38.5,
            meanSsim: 0.981,
            minimumSsim: 0.964
        )
        let fixture = ManagementFixture(quality: { _ in QualitySnapshot(rungs: [rung]) })
        let response = try await fixture.get(Self.path)
        #expect(response.status == .ok)
        #expect(response.headers[.cacheControl] == "no-store")
        let sent = try #require(try response.json["rungs"]?[0])
        #expect(sent["id"] == "video-720p" && sent["pictures"] == 60)
        #expect(sent["mean_psnr_decibels"] == 41.25 && sent["minimum_psnr_decibels"] == 38.5)
        #expect(sent["mean_ssim"] == 0.981 && sent["minimum_ssim"] == 0.964)
    }

    @Test func whatThereIsNotIsAProblem() async throws {
        let none = try await ManagementFixture().get(Self.path)
        #expect(none.status == .notFound)
        #expect(try none.json["type"] == "urn:mirror:problem:not_found")
        let fixture = ManagementFixture(quality: { _ in throw ProblemDetails.noQualityYet("Wait.") }
        )
        let late = try await fixture.get(Self.path)
        #expect(late.status == .serviceUnavailable && late.headers[.retryAfter] == "5")
        let unnamed = try await fixture.get("/api/v1/streams/.x/transcoding/quality")
        #expect(unnamed.status == .notFound)
        #expect(try await fixture.get(Self.path, .post).status == .methodNotAllowed)
    }
}

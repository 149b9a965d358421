import Foundation
import Media
import MirrorServer
import Processing
import TestSupport
import Testing

@Suite struct SlateFileTests {
    private func withFile<Result>(
        _ bytes: Data?,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        if let bytes { try bytes.write(to: file) }
        return try await body(file.path)
    }

    private static func problem(_ path: String) -> SlateError? {
        do throws(SlateError) {
            try SlateFile.check(path)
            return nil
        } catch {
            return error
        }
    }

    @Test func aFileThatIsNotThereIsNamed() async throws {
        try await withFile(nil) { path in
            let error = Self.problem(path)
            #expect(error?.code == .file)
            #expect(error?.description == "slate \(path): it cannot be read")
        }
        #expect(Self.problem("/dev/null")?.code == .file)
        #expect(Self.problem(FileManager.default.temporaryDirectory.path)?.code == .file)
    }

    @Test func aFileThatIsNoPictureSaysWhatToDo() async throws {
        for bytes in [Data(), Data("hello".utf8), Data(repeating: 0x47, count: 100)] {
            try await withFile(bytes) { path in
                let error = Self.problem(path)
                #expect(error?.code == .picture)
                #expect(error?.description.contains("ffmpeg -i CLIP -c copy -an slate.ts") ?? false)
            }
        }
    }

    @Test func aFileThatIsTooLargeIsNotRead() async throws {
        try await withFile(Data([0xFF, 0xD8, 0xFF])) { path in
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.truncate(atOffset: (64 << 20) + 1)
            #expect(Self.problem(path)?.description.contains("64 MiB") ?? false)
            try file.truncate(atOffset: 64 << 20)
            #expect(Self.problem(path) == nil)
        }
    }

    @Test func aClipIsReadUpToItsLimit() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).ts")
        defer { try? FileManager.default.removeItem(at: file) }
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=128x72:r=25", "-f", "lavfi", "-i",
                "sine", "-t", "20", "-c:v", "libx264", "-pix_fmt", "yuv420p", file.path,
            ]
        )
        #expect(Self.problem(file.path) == nil)
        guard case .clip(let format, let units) = try SlateFile.read(file.path) else {
            Issue.record("no clip")
            return
        }
        #expect(format.width == 128)
        #expect((250...300).contains(units.count))
        #expect(units.first?.isKeyframe ?? false)
        #expect(Set(units.map(\.track)).count == 1)
    }

    @Test func aTransportStreamWithoutVideoIsRefused() async throws {
        var packets = Data()
        for _ in 0..<100 { packets += Data([0x47, 0x1F, 0xFF, 0x10]) + Data(count: 184) }
        try await withFile(packets) { path in
            #expect(Self.problem(path) == nil)
            let error = #expect(throws: SlateError.self) { try SlateFile.read(path) }
            #expect(error?.code == .picture)
        }
    }
}

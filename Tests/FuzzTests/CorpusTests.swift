import Foundation
import FuzzTargets
import TestSupport
import Testing

/// Inputs that a fuzzer found interesting once do no harm in the build that users run.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/Fuzzing")

    @Test(arguments: FuzzTarget.allCases)
    func theCorpusDoesNoHarm(_ target: FuzzTarget) throws {
        let inputs = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: target.rawValue),
            includingPropertiesForKeys: nil
        )
        #expect(!inputs.isEmpty)
        for input in inputs {
            [UInt8](try Data(contentsOf: input)).withUnsafeBufferPointer(target.run)
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func theCorpusMutatedDoesNoHarm(_ target: FuzzTarget) throws {
        var random = SeededRandom(seed: 7)
        let inputs = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: target.rawValue),
            includingPropertiesForKeys: nil
        )
        for input in inputs.sorted(by: { $0.path() < $1.path() }) {
            let original = [UInt8](try Data(contentsOf: input))
            guard !original.isEmpty else { continue }
            for _ in 0..<50 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
                        in: 0...255,
                        using: &random
                    )
                }
                bytes.withUnsafeBufferPointer(target.run)
            }
        }
    }
}

import Foundation
import Testing

/// Imports point one way: towards Media.
@Suite struct ImportTests {
    /// The project's own targets that each may import.
    private static let allowed: [String: Set<String>] = [
        "Media": [],
        "Ingestion": ["CSRT", "Media"],
        "Processing": ["CFFmpeg", "Media"],
        "Packaging": ["CZlib", "Media"],
        "Distribution": ["CGnuTLS", "CNghttp3", "CNgtcp2", "Media", "Packaging"],
        "Management": ["Distribution", "Ingestion", "Media", "Packaging", "Processing"],
        "MirrorServer": [
            "CMalloc", "Distribution", "Ingestion", "Management", "Media", "Packaging",
            "Processing",
        ],
    ]
    /// What does no I/O imports nothing that could.
    private static let pure: Set<String> = ["Media", "Packaging"]
    private static let doors: Set<String> = [
        "Foundation", "Hummingbird", "NIOPosix", "NIOSSL", "ServiceLifecycle",
    ]

    @Test func everyTargetImportsOnlyWhatIsBehindIt() throws {
        let own = Set(Self.allowed.keys).union(Self.allowed.values.joined())
        var targets: Set<String> = []
        for file in try Project.files(under: ["Sources"], ["swift"]) {
            let target = String(file.path.split(separator: "/")[1])
            targets.insert(target)
            let allowed = try #require(Self.allowed[target], "\(target) has no place in the flow")
            for module in Self.imports(of: file) {
                #expect(
                    !own.contains(module) || allowed.contains(module),
                    "\(file.path) imports \(module)"
                )
                #expect(
                    !Self.pure.contains(target) || !Self.doors.contains(module),
                    "\(file.path) imports \(module): \(target) does no I/O"
                )
            }
        }
        #expect(targets == Set(Self.allowed.keys))
    }

    private static func imports(of file: Project.File) -> [String] {
        let line =
            /^(?:@\w+ )*(?:(?:public|package|internal|private|fileprivate) )?import (?:(?:struct|class|enum|protocol|func|typealias) )?(\w+)/
        return file.lines.compactMap { $0.firstMatch(of: line).map { String($0.1) } }
    }
}

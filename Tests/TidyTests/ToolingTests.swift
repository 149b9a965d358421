import Foundation
import Testing

/// What a person types is there.
@Suite struct ToolingTests {
    private static func targets(of makefile: String) -> Set<String> {
        Set(makefile.matches(of: /(?m)^([a-z][a-z-]*):/).map { String($0.1) })
    }

    @Test func theReadmeNamesEveryMakeTargetAndNoOther() throws {
        let targets = Self.targets(of: try Project.text("Makefile")).subtracting(["help"])
        #expect(targets.count >= 14)
        let readme = try Project.text("README.md")
        let table = readme.matches(of: /(?m)^\| `make [^|]*\|/).map { String($0.0) }.joined()
        let listed = Set(table.matches(of: /([a-z][a-z-]+)[` ]/).map { String($0.1) })
        let inText = Set(readme.matches(of: /make ([a-z][a-z-]+)/).map { String($0.1) })
        let named = listed.union(inText).subtracting(["make"])
        #expect(named == targets)
    }

    @Test func everyTargetRunsAScriptThatIsThere() throws {
        let makefile = try Project.text("Makefile")
        let scripts = makefile.matches(of: /(?m)^\t@(scripts\/[a-z-]+)/).map { String($0.1) }
        #expect(scripts.count >= 14)
        for script in scripts { #expect(Project.exists(script), "there is no \(script)") }
        let phony = try #require(makefile.firstRange(of: ".PHONY:"))
        let declared = Set(makefile[phony.upperBound...].split { !$0.isLetter && $0 != "-" })
        #expect(Set(declared.map(String.init)) == Self.targets(of: makefile))
    }

    @Test func scriptsMayBeRun() throws {
        for folder in ["scripts", ".ci"] {
            let names = try FileManager.default.contentsOfDirectory(
                atPath: Project.root.appending(path: folder).path
            )
            for name in names where try Project.text("\(folder)/\(name)").hasPrefix("#!") {
                let path = Project.root.appending(path: "\(folder)/\(name)").path
                #expect(FileManager.default.isExecutableFile(atPath: path), "\(folder)/\(name)")
            }
        }
    }
}

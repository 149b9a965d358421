import Foundation
import Testing

/// Documents say what the code says.
@Suite struct DocumentTests {
    private static let followed = [
        "ARCHITECTURE.md", "Sources/README.md", "docs/operations.md", "docs/specifications.md",
    ]

    @Test func linksLead() throws {
        let link = /\]\(([^)#:\s]+)(?:#[^)]*)?\)/
        for file in try Project.files(under: ["."], ["md"]) {
            let folder = (file.path as NSString).deletingLastPathComponent
            for line in file.lines {
                for match in line.matches(of: link) {
                    let target = (folder as NSString).appendingPathComponent(String(match.1))
                    #expect(Project.exists(target), "\(file.path): \(match.1) is not there")
                }
            }
        }
    }

    @Test func swiftFilesThatDocumentsNameExist() throws {
        let names = Set(
            try Project.files(under: ["Sources", "Tests", "Benchmarks"], ["swift"]).map(\.name)
        )
        let mention = /([A-Za-z0-9+]+\.swift)\b/
        for path in Self.followed {
            for match in try Project.text(path).matches(of: mention) {
                let isThere = match.1 == "Package.swift" || names.contains(String(match.1))
                #expect(isThere, "\(path): there is no \(match.1)")
            }
        }
    }

    @Test func testsThatTheArchitectureNamesExist() throws {
        let suites = try Project.files(under: ["Tests"], ["swift"]).flatMap(\.lines)
        for match in try Project.text("ARCHITECTURE.md").matches(of: /`(\w+Tests)(?:\.(\w+))?`/) {
            #expect(
                suites.contains {
                    $0.contains("struct \(match.1)") || $0.contains("\"\(match.1)\"")
                }
                    || Project.exists("Tests/\(match.1)"),
                "there is no \(match.1)"
            )
            guard let test = match.2 else { continue }
            #expect(suites.contains { $0.contains("func \(test)(") }, "there is no test \(test)")
        }
    }

    @Test func theArchitectureIsReadAtOneSitting() throws {
        #expect(try Project.text("ARCHITECTURE.md").split(separator: "\n").count <= 250)
    }

    @Test func theTableOfTargetsNamesEachTarget() throws {
        let table = try Project.text("Sources/README.md")
        let target = /\.(?:target|systemLibrary|executableTarget)\(\s*name: "(\w+)"/
        for match in try Project.text("Package.swift").matches(of: target)
        where Project.exists("Sources/\(match.1)")
            || Project.exists("Sources/SystemLibraries/\(match.1)")
        {
            let isListed = table.contains("`\(match.1)`")
            #expect(isListed, "\(match.1) is not in the table")
        }
    }

    @Test func operatorsFindEveryRefusalAdviceMetricAndKey() throws {
        let guide = try Project.text("docs/operations.md")
        let refusals = try Project.rawValues(of: "PublishRefusal", in: "Ingestion/StreamAdmission")
        let advice = try Project.rawValues(of: "Code", in: "Packaging/Advice")
        let ends =
            try Project.rawValues(of: "Ending", in: "Ingestion/SRT/SRTConnection")
            + Project.rawValues(of: "Ending", in: "Ingestion/RTP/Listener/RTPConnection")
        #expect(refusals.count >= 10 && advice.count >= 10 && ends.count >= 10)
        for code in refusals + advice + ends {
            let isExplained = guide.contains("`\(code)`")
            #expect(isExplained, "\(code) is not explained")
        }
        let metric = /"((?:mirror|process)_[a-z_]+)"|(?:counter|gauge)\(\s*"([a-z_]+)"/
        var metrics: Set<String> = []
        for file in try Project.files(under: ["Sources/Management/Metrics"], ["swift"]) {
            for match in file.lines.joined(separator: "\n").matches(of: metric) {
                if let name = match.1 ?? match.2.map({ "mirror_\($0)" }) {
                    metrics.insert(String(name))
                }
            }
        }
        #expect(metrics.count > 40)
        for name in metrics {
            let isExplained = guide.contains("`\(name)`") || guide.contains("`\(name){")
            #expect(isExplained, "\(name) is not explained")
        }
    }

    @Test func keysThatDocumentsNameExist() throws {
        let folder = "Sources/MirrorServer/Configuration/ConfigurationSchema"
        let schema = try Project.text("\(folder).swift") + Project.text("\(folder)+RTP.swift")
        let keys = Set(schema.matches(of: /"((?:[a-z0-9_]+\.)+[a-z0-9_]+)",/).map { String($0.1) })
        #expect(keys.count >= 29)
        let mention =
            /`((?:server|metrics|ingestion|publishing|packaging|thumbnails|logging)\.[a-z0-9_.]+)`/
        for path in Self.followed + ["README.md"] {
            for match in try Project.text(path).matches(of: mention) {
                let isKey = keys.contains(String(match.1))
                #expect(isKey, "\(path): there is no key \(match.1)")
            }
        }
    }

    @Test func everyCitationIsInTheListOfSpecifications() throws {
        let list = try Project.text("docs/specifications.md")
        let standard =
            /RFC [0-9]+(?:bis)?|ISO\/IEC [0-9]+-[0-9]+|ITU-T H\.[0-9]+|ETSI (?:TS|TR|EN) [0-9]+ [0-9]+/
        var count = 0
        for file in try Project.files(under: ["Sources"], ["swift"]) {
            let text = file.lines.filter { $0.contains("//") }.joined(separator: "\n")
            for match in text.matches(of: standard) {
                count += 1
                let isListed = list.contains(match.0)
                #expect(isListed, "\(file.path) cites \(match.0)")
            }
            guard text.contains("/// Source:") else { continue }
            let isNamed = list.contains(file.path.dropFirst("Sources/".count))
            #expect(isNamed, "\(file.path) is not in the list")
        }
        #expect(count > 80)
    }

    @Test func everyLineOfTheLogIsExplained() throws {
        let guide = try Project.text("docs/operations.md")
        let call =
            /[lL]ogger\.(?:info|notice|warning|error|critical)\(\s*(?:isNew \? )?("[^\\]*?)(?:,\s|\)\s)/
        var count = 0
        for file in try Project.files(under: ["Sources"], ["swift"]) {
            for match in file.lines.joined(separator: "\n").matches(of: call) {
                for message in String(match.1).matches(of: /"([^"]+)"/) {
                    count += 1
                    let isExplained = guide.contains("`\(message.1)`")
                    #expect(isExplained, "\(file.path): \(message.1) is not explained")
                }
            }
        }
        #expect(count >= 20)
    }
}

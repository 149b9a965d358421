import Distribution
import HTTPTypes
import Testing

@Suite struct HTTP3RequestHeadTests {
    private static let get = [
        (":method", "GET"), (":scheme", "https"), (":authority", "example.com"),
        (":path", "/a?b=c"),
    ]

    private func head(
        _ fields: [(String, String)],
        maxBytes: Int = 16_384,
        maxFields: Int = 100
    ) -> (outcome: HTTP3RequestHead.Outcome, hasPriority: Bool) {
        var head = HTTP3RequestHead(maxBytes: maxBytes, maxFields: maxFields)
        for (name, value) in fields {
            Array(name.utf8).withUnsafeBufferPointer { name in
                Array(value.utf8).withUnsafeBufferPointer { head.add(name: name, value: $0) }
            }
        }
        let hasPriority = head.hasPriority
        return (head.finish(), hasPriority)
    }

    @Test func pseudoHeaderFieldsAndFieldsBecomeARequest() {
        let expected = HTTPRequest(
            method: .get,
            scheme: "https",
            authority: "example.com",
            path: "/a?b=c",
            headerFields: [.range: "bytes=0-1", .accept: "*/*"]
        )
        let fields = Self.get + [("range", "bytes=0-1"), ("accept", "*/*")]
        #expect(head(fields).outcome == .request(expected))
    }

    @Test func hostStandsInForTheAuthority() throws {
        let fields = Self.get.filter { $0.0 != ":authority" } + [("host", "example.org")]
        guard case .request(let request) = head(fields).outcome else {
            Issue.record("not a request")
            return
        }
        #expect(request.authority == "example.org")
        #expect(request.headerFields.isEmpty)
    }

    @Test func authorityAndHostMustNotContradictEachOther() {
        #expect(head(Self.get + [("host", "example.org")]).outcome == .malformed)
        #expect(head(Self.get + [("host", "example.com")]).outcome != .malformed)
    }

    @Test(arguments: [("na me", "x"), ("name", "a\u{0}b"), ("name", "a\r\nb"), (":status", "200")])
    func whatTheRestOfTheServerCannotHoldIsMalformed(name: String, value: String) {
        #expect(head(Self.get + [(name, value)]).outcome == .malformed)
    }

    @Test func aMethodIsNeeded() {
        #expect(head(Array(Self.get.dropFirst())).outcome == .malformed)
    }

    @Test func bytesAreCountedWithThirtyTwoForEachField() {
        let size = Self.get.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
        #expect(head(Self.get, maxBytes: size).outcome != .tooLarge)
        #expect(head(Self.get, maxBytes: size - 1).outcome == .tooLarge)
        #expect(head(Self.get, maxFields: 3).outcome == .tooLarge)
    }

    @Test func aPriorityOfTheClientIsSeen() {
        #expect(head(Self.get + [("priority", "u=1, i")]).hasPriority)
        #expect(!head(Self.get).hasPriority)
    }
}

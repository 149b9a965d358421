import Packaging
import Testing

struct ResourceNameTests {
    @Test(arguments: [
        ResourceName.initialization(0), .segment(7), .part(0), .part(.max),
    ])
    func nameReadsBackAsItself(name: ResourceName) {
        #expect(ResourceName(name.text(epoch: "a1"), epoch: "a1") == name)
        #expect(ResourceName(name.text(epoch: "a1"), epoch: "a2") == nil)
    }

    @Test(arguments: [
        "", "a1", "a1-", "a1-part.m4s", "a1-part01.m4s", "a1-part+1.m4s", "a1-part-1.m4s",
        "a1-part1.mp4", "a1-init1.m4s", "a1-seg1.m4s ", "a1-seg1.m4sx", "A1-seg1.m4s",
        "../a1-seg1.m4s", "a1-seg1.m4s/..", "a1-seg18446744073709551616.m4s", "a1-seg１.m4s",
        "a1-part1", "seg1.m4s", "a1-seg1\u{0}.m4s", "a1-part1%2em4s",
    ])
    func anythingElseIsNoName(text: String) {
        #expect(ResourceName(text, epoch: "a1") == nil)
    }
}

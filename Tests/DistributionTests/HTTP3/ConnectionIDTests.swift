import Distribution
import Testing

@Suite struct ConnectionIDTests {
    private func identifier(_ bytes: [UInt8]) -> ConnectionID? {
        bytes.withUnsafeBytes { ConnectionID($0) }
    }

    @Test func anIDThatIsGivenOutNamesItsEventLoop() {
        var generator = SystemRandomNumberGenerator()
        for loop in [0, 1, 7, 254] {
            let identifier = ConnectionID(loop: UInt8(loop), using: &generator)
            #expect(identifier.loop == loop)
            #expect(identifier.length == ConnectionID.ownLength)
        }
    }

    @Test func idsAreEqualWhenTheirBytesAndTheirLengthAre() {
        #expect(identifier([1, 2, 3]) == identifier([1, 2, 3]))
        #expect(identifier([1, 2, 3]) != identifier([1, 2, 4]))
        // A shorter one is padded with zeros inside.
        #expect(identifier([1, 2]) != identifier([1, 2, 0]))
        #expect(identifier([]) != identifier([0]))
    }

    @Test func noIDIsLongerThanTwentyBytes() {
        #expect(identifier([UInt8](repeating: 9, count: 20))?.length == 20)
        #expect(identifier([UInt8](repeating: 9, count: 21)) == nil)
    }
}

import Ingestion
import Testing

struct PublishRefusalTests {
    /// Codes of SRT Access Control Guidelines, "Error codes".
    @Test(arguments: [
        (PublishRefusal.badName, Int32(1400)),
        (.wrongPassphrase, 1401),
        (.passphraseRequired, 1401),
        (.full, 1402),
        (.bitrateExceeded, 1402),
        (.sourceNotAllowed, 1403),
        (.modeNotSupported, 1405),
        (.passphraseNotExpected, 1406),
        (.nameTaken, 1409),
        (.hasInputs, 1409),
        (.shuttingDown, 1503),
    ])
    func eachRefusalHasItsRejectCode(refusal: PublishRefusal, code: Int32) {
        #expect(refusal.srtRejectCode == code)
    }

    @Test(arguments: PublishRefusal.allCases)
    func eachRefusalSaysWhatToDo(refusal: PublishRefusal) {
        #expect(refusal.cure.count > 20)
    }
}

import Ingestion
import Testing

struct SRTSetupFailureTests {
    @Test func aLineOfLibsrtNamesTheSocketAndTheReason() {
        let prefix =
            "21:25:38.1/SRT:RcvQ:w1!W:SRT.cn: @630644914:newConnection: connection rejected"
        #expect(
            SRTSetupFailure(logLine: prefix + " due to: INTERNAL REJECTION - ERROR:BADSECRET\n")
                == SRTSetupFailure(socket: 630_644_914, reason: .badSecret)
        )
        #expect(
            SRTSetupFailure(logLine: prefix + " due to: INTERNAL REJECTION - ERROR:UNSECURE\n")
                == SRTSetupFailure(socket: 630_644_914, reason: .unsecure)
        )
        #expect(
            SRTSetupFailure(logLine: prefix + " due to: INTERNAL REJECTION - ERROR:PREDEFINED:409")
                == SRTSetupFailure(socket: 630_644_914, reason: .other)
        )
    }

    @Test(arguments: [
        "",
        "KMREQ/rcv: (snd) Rx process failure - BADSECRET",
        "newConnection: connection rejected due to: INTERNAL REJECTION - ERROR:BADSECRET",
        "@x:newConnection: connection rejected due to: INTERNAL REJECTION - ERROR:BADSECRET",
        "@99999999999:newConnection: connection rejected due to: INTERNAL REJECTION",
    ])
    func otherLinesSayNothing(line: String) {
        #expect(SRTSetupFailure(logLine: line) == nil)
    }
}

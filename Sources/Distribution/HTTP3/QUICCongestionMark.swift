import CNgtcp2
import NIOCore

/// The two bits of an IP packet, in the words of NIO and of ngtcp2 (RFC 3168, 5).
extension NIOExplicitCongestionNotificationState {
    init(_ congestion: UInt32) {
        self =
            switch congestion {
            case UInt32(NGTCP2_ECN_ECT_0): .transportCapableFlag0
            case UInt32(NGTCP2_ECN_ECT_1): .transportCapableFlag1
            case UInt32(NGTCP2_ECN_CE): .congestionExperienced
            default: .transportNotCapable
            }
    }

    var c: UInt32 {
        switch self {
        case .transportCapableFlag0: UInt32(NGTCP2_ECN_ECT_0)
        case .transportCapableFlag1: UInt32(NGTCP2_ECN_ECT_1)
        case .congestionExperienced: UInt32(NGTCP2_ECN_CE)
        case .transportNotCapable: UInt32(NGTCP2_ECN_NOT_ECT)
        }
    }
}

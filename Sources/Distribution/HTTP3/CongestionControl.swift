import CNgtcp2

/// How fast a sender over QUIC may go, by what becomes of what it sends.
///
/// Source: RFC 9002, 7 (reno), RFC 9438 (cubic).
package enum CongestionControl: String, Sendable, CaseIterable {
    case reno, cubic, bbr, bbr2

    package static let `default` = Self.bbr

    var c: ngtcp2_cc_algo {
        switch self {
        case .reno: NGTCP2_CC_ALGO_RENO
        case .cubic: NGTCP2_CC_ALGO_CUBIC
        case .bbr: NGTCP2_CC_ALGO_BBR
        case .bbr2: NGTCP2_CC_ALGO_BBR2
        }
    }
}

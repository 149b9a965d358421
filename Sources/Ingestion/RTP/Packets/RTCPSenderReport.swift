package import Media

/// What a sender says of its clocks and of what it has sent.
///
/// Source: RFC 3550, 6.4.1.
package struct RTCPSenderReport: Sendable, Equatable {
    package let ssrc: UInt32
    /// Seconds since 1900, as 32 bits and 32 bits of fraction; 0 from a sender that has no clock.
    ///
    /// A sender without wall clock may count from its start: differences hold even then.
    package let ntp: UInt64
    /// The instant `ntp` on the clock of the sender's RTP timestamps.
    package let rtpTimestamp: UInt32
    package let packets: UInt32
    /// Of payload; headers and padding are left out.
    package let octets: UInt32

    package init(ssrc: UInt32, ntp: UInt64, rtpTimestamp: UInt32, packets: UInt32, octets: UInt32) {
        self.ssrc = ssrc
        self.ntp = ntp
        self.rtpTimestamp = rtpTimestamp
        self.packets = packets
        self.octets = octets
    }

    package var wallTime: WallTime { WallTime(ntp: ntp) }

    /// The middle of `ntp`, which reports give back so that the sender can tell the round trip.
    var middle: UInt32 { UInt32(truncatingIfNeeded: ntp >> 16) }
}

extension WallTime {
    /// 1970-01-01 in seconds since 1900-01-01.
    private static let epochInNTP: Int64 = 2_208_988_800

    /// The instant of an NTP timestamp, from 1968 to 2104.
    ///
    /// Seconds whose first bit is 0 count from 2036, when 32 bits have wrapped.
    /// Source: RFC 4330, 3.
    package init(ntp: UInt64) {
        var seconds = Int64(ntp >> 32)
        if ntp >> 63 == 0 { seconds += 1 << 32 }
        let microseconds = Int64(((ntp & 0xFFFF_FFFF) * 1_000_000) >> 32)
        self.init(
            microsecondsSinceEpoch: (seconds - Self.epochInNTP) * 1_000_000 + microseconds
        )
    }
}

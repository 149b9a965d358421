import Ingestion
import Media
import NIOCore

/// An RTP session in simulated time, and what came out of it.
struct RTPRecorder {
    static let start: Int64 = 1_700_000_000_000_000

    var session: RTPSession
    private(set) var events: [MediaEvent] = []

    /// A picture and a sound, each a medium of its own.
    init(
        media: [MediaDescription] = [Self.video, Self.audio],
        _ change: (inout RTPSession.Configuration) -> Void = { _ in }
    ) {
        var configuration = RTPSession.Configuration(ssrc: 0xFEED, cname: "mirror")
        change(&configuration)
        session = RTPSession(configuration: configuration, media: media)
    }

    static var video: MediaDescription {
        var medium = MediaDescription(kind: .video, port: 5_004)
        medium.payloads[96] = RTPTestSource.h264
        return medium
    }

    static var audio: MediaDescription {
        var medium = MediaDescription(kind: .audio, port: 5_006)
        medium.payloads[97] = RTPTestSource.aac
        return medium
    }

    static func wall(_ milliseconds: Int) -> WallTime {
        WallTime(microsecondsSinceEpoch: start + Int64(milliseconds) * 1_000)
    }

    mutating func feed(_ datagrams: [ByteBuffer], of medium: Int? = nil, at milliseconds: Int) {
        for datagram in datagrams { feed(datagram, of: medium, at: milliseconds) }
    }

    mutating func feed(_ datagram: ByteBuffer, of medium: Int? = nil, at milliseconds: Int) {
        guard let packet = try? RTPPacket(datagram.readableBytesUInt8Span) else { return }
        session.receive(
            packet,
            datagram: datagram,
            of: medium,
            arrival: Self.wall(milliseconds)
        ) { events.append($0) }
    }

    mutating func feed(_ report: RTCPPacket, at milliseconds: Int) {
        session.receive(report, arrival: Self.wall(milliseconds)) { events.append($0) }
    }

    mutating func correct(_ datagram: ByteBuffer, at milliseconds: Int) {
        session.correct(datagram, ssrc: 0, arrival: Self.wall(milliseconds)) { events.append($0) }
    }

    mutating func advance(to milliseconds: Int) {
        session.advance(to: Self.wall(milliseconds)) { events.append($0) }
    }

    mutating func finish(at milliseconds: Int) {
        session.finish(arrival: Self.wall(milliseconds)) { events.append($0) }
    }

    mutating func forget() {
        events = []
    }

    var trackLists: [TrackList] { events.compactMap(\.trackList) }
    var units: [AccessUnit] { events.compactMap(\.unit) }
    var discontinuities: [DiscontinuityReason] { events.compactMap(\.discontinuity) }
    var pictures: [AccessUnit] { units.filter { $0.track.rawValue == 256 } }
    var sounds: [AccessUnit] { units.filter { $0.track.rawValue == 257 } }

    func statistics(at milliseconds: Int) -> RTPStatistics {
        session.statistics(at: Self.wall(milliseconds))
    }
}

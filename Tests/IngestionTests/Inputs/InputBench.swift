import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// A switch whose inputs send a picture each 40 ms and a keyframe each second, by a clock of its own.
struct InputBench {
    static let video = Track(
        id: Track.ID(256),
        format: .video(.sample())
    )
    static let sound = Track(
        id: Track.ID(257),
        format: .audio(.sample)
    )
    static let frame = 40

    var inputs: InputSwitch
    /// Milliseconds.
    private(set) var time = 0
    /// What went on air, in words: `a!1000` is the keyframe that `a` sent at 1000 ms.
    private(set) var words: [String] = []
    /// Where each input's own keyframes are, against the clock.
    var phases: [String: Int] = [:]
    private var announced: Set<String> = []

    init(
        _ names: [String] = ["a", "b"],
        silence: Duration = .milliseconds(500),
        returnAfter: Duration = .seconds(10)
    ) throws {
        inputs = InputSwitch(
            InputSwitch.Configuration(
                names: try names.map { try #require(StreamName($0)) },
                silence: silence,
                returnAfter: returnAfter
            )
        )
    }

    /// Runs the clock, while these inputs send.
    mutating func run(_ milliseconds: Int, _ names: String...) throws {
        for _ in 0..<milliseconds / Self.frame {
            time += Self.frame
            for name in names { try sendPicture(name) }
        }
    }

    mutating func sendPicture(_ name: String) throws {
        let isKeyframe = (time - (phases[name] ?? 0)) % 1_000 == 0
        var events: [MediaEvent] = []
        if announced.insert(name).inserted {
            events.append(.tracks(TrackList([Self.video, Self.sound])))
        }
        events.append(unit(name, isKeyframe: isKeyframe))
        try send(events, name)
    }

    /// A picture, whose payload says whose it is and when it came.
    func unit(
        _ name: String,
        isKeyframe: Bool,
        track: Track = video,
        at presentation: Int? = nil
    ) -> MediaEvent {
        let time = presentation ?? time
        return .accessUnit(
            AccessUnit(
                track: track.id,
                pts: MediaTime(mpegTicks: Int64(time) * 90),
                dts: MediaTime(mpegTicks: Int64(time) * 90),
                payload: ByteBuffer(string: "\(name)\(isKeyframe ? "!" : ".")\(time)"),
                randomAccess: isKeyframe ? .closed : .none,
                arrival: now
            )
        )
    }

    var now: WallTime { WallTime(microsecondsSinceEpoch: Int64(time) * 1_000) }

    mutating func send(_ events: [MediaEvent], _ name: String) throws {
        for event in inputs.receive(events, from: try #require(StreamName(name))) {
            switch event {
            case .tracks: words.append("tracks")
            case .accessUnit(let unit): words.append(String(buffer: unit.payload))
            case .discontinuity(let reason): words.append(reason.rawValue)
            case .end(let reason): words.append("end \(reason.rawValue)")
            }
        }
    }

    /// The publisher leaves; the next of this name announces its tracks again.
    mutating func end(_ name: String, _ reason: EndReason = .disconnected) throws {
        announced.remove(name)
        try send([.end(reason)], name)
    }

    mutating func look(_ losses: [String: UInt64]) throws {
        var totals: [StreamName: UInt64] = [:]
        for (name, total) in losses { totals[try #require(StreamName(name))] = total }
        inputs.look(at: totals, now: now)
    }

    mutating func select(_ name: String?) throws -> Bool {
        inputs.select(try name.map { try #require(StreamName($0)) })
    }

    var status: InputSwitch.Status {
        let all = inputs.status(claimed: [], now: now).inputs.map(\.name)
        return inputs.status(claimed: Set(all), now: now)
    }

    var onAir: String? { status.onAir?.description }

    /// What went on air since the last call.
    mutating func takeWords() -> [String] {
        defer { words = [] }
        return words
    }
}

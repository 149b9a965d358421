import Foundation
import HummingbirdTesting
import Management
import TestSupport
import Testing

/// `steering.js` in a real JavaScript engine, on simulated time: a viewer, and parts that arrive.
///
/// All scenarios are played once, in one browser; the tests look at what came of each.
@Suite(.timeLimit(.minutes(2))) struct SteeringTests {
    @Test func aSteadyStreamIsPlayedNearItsEdge() async throws {
        let outcome = try await Scenario.steady.outcome
        #expect(outcome.lag > 0.25 && outcome.lag < 0.6)
        #expect(outcome.stalls == 0 && outcome.seeks == 0)
        #expect(outcome.slowest >= 0.95 && outcome.fastest <= 1.081 && outcome.fastest > 1.03)
        #expect(outcome.lastRate == 1)
    }

    @Test func theDefaultPartLengthStaysWellUnderASecond() async throws {
        let outcome = try await Scenario.defaultParts.outcome
        #expect(outcome.lag < 0.85)
        #expect(outcome.stalls == 0 && outcome.seeks == 0)
    }

    @Test func aViewerTooNearSlowsDown() async throws {
        let outcome = try await Scenario.tooNear.outcome
        #expect(outcome.lag > 0.4)
        #expect(outcome.stalls == 0 && outcome.slowest < 1)
    }

    @Test func lateDeliveriesAreCovered() async throws {
        let outcome = try await Scenario.lateDeliveries.outcome
        #expect(outcome.lag > 0.65 && outcome.lag < 1.1)
        #expect(outcome.stalls == 0 && outcome.seeks == 0)
    }

    @Test func farBehindIsMadeGoodByOneSeek() async throws {
        let outcome = try await Scenario.farBehind.outcome
        #expect(outcome.seeks == 1)
        #expect(outcome.stalls == 0 && outcome.lag < 0.6)
    }

    @Test func anInterruptionDoesNotTeachALargerLag() async throws {
        let outcome = try await Scenario.interruption.outcome
        #expect(outcome.stalls == 1)
        #expect(outcome.seeks == 1)
        #expect(outcome.lag < 0.8)
    }
}

/// What a simulated viewer went through in a minute, times in seconds.
private struct Outcome: Sendable {
    let lag: Double
    let stalls: Double
    let seeks: Double
    let slowest: Double
    let fastest: Double
    let lastRate: Double
}

private enum Scenario: String, CaseIterable, Sendable {
    case steady, defaultParts, tooNear, lateDeliveries, farBehind, interruption

    /// JavaScript: length of a part, the lag playback begins with, and how late a part comes beside
    /// the 50 ms that each takes.
    var parameters: String {
        switch self {
        case .steady: "0.2, 1, () => 0"
        case .defaultParts: "1 / 3, 1.2, () => 0"
        case .tooNear: "0.2, 0.3, () => 0"
        case .lateDeliveries: "0.2, 1, (part) => (part % 10 === 9 ? 0.4 : 0)"
        case .farBehind: "0.2, 9, () => 0"
        // Nothing for six seconds, then all that was missed at once.
        case .interruption:
            "0.2, 1, (part) => (part >= 100 && part < 130 ? (130 - part) * 0.2 : 0)"
        }
    }

    var outcome: Outcome {
        get async throws { try #require(try await Self.outcomes.value[self]) }
    }

    private static let outcomes = Task {
        try await ManagementFixture().application.test(.live) { client in
            let port = try #require(client.port)
            return try await Chromium.withPage { page in
                try await page.navigate(to: "http://localhost:\(port)/")
                try await page.evaluate(simulator)
                var outcomes: [Scenario: Outcome] = [:]
                for scenario in allCases {
                    let result = try await page.evaluate("simulate(\(scenario.parameters))")
                    let values = try #require(result.array).map { $0.number ?? .nan }
                    outcomes[scenario] = Outcome(
                        lag: values[0],
                        stalls: values[1],
                        seeks: values[2],
                        slowest: values[3],
                        fastest: values[4],
                        lastRate: values[5]
                    )
                }
                return outcomes
            }
        }
    }

    private static let simulator = """
        window.simulate = async (length, startLag, lateness) => {
          const { LatencySteering } = await import('/assets/steering.js');
          const steering = new LatencySteering(length);
          const start = 20, end = 80, step = 0.01;
          let position = start - startLag, delivered = 0, stalls = 0, seeks = 0;
          let next = 1, isDry = false, slowest = 1, fastest = 1;
          const arrival = (part) => part * length + 0.05 + lateness(part);
          while (arrival(next) <= start) { delivered = next * length; next += 1; }
          steering.restart(start);
          for (let tick = 0; start + tick * step < end; tick += 1) {
            const now = start + tick * step;
            while (arrival(next) <= now) {
              delivered = next * length;
              steering.delivered(now, delivered);
              next += 1;
            }
            const wanted = position + steering.rate * step;
            if (wanted > delivered) {
              if (!isDry) { stalls += 1; steering.stalled(now); }
              isDry = true;
            } else {
              isDry = false;
              position = wanted;
            }
            if (tick % 10 !== 0 || isDry) continue;
            const seek = steering.decide(now, position, delivered);
            if (seek !== null && seek > position) { position = seek; seeks += 1; }
            slowest = Math.min(slowest, steering.rate);
            fastest = Math.max(fastest, steering.rate);
          }
          return [end - position, stalls, seeks, slowest, fastest, steering.rate];
        };
        """
}

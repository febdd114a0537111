import Foundation
import Platform
import TestSupport

/// Kills ingest, Postgres, Redis and the rollup, each at seeded moments of its own, and starts them again.
struct Trouble {
    enum Victim: String, CaseIterable {
        case ingest, postgres, redis, rollup
    }

    struct Blow: CustomStringConvertible {
        var victim: Victim
        /// Seconds after the load has begun.
        var at: Double
        /// Seconds until the victim is started again.
        var downFor: Double
        /// Redis comes back without its data.
        var losesData: Bool

        var description: String {
            let at = String(format: "%.2f s", at)
            let down = String(format: "%.2f s", downFor)
            return "\(victim.rawValue) at \(at) for \(down)" + (losesData ? ", data lost" : "")
        }
    }

    let blows: [Blow]

    init(_ scale: CrashScale, using generator: inout SeededGenerator) {
        var blows: [Blow] = []
        // The last tenth is left alone, so that what is restarted has work again.
        let window = scale.seconds * 0.85 / Double(max(scale.kills, 1))
        for victim in Victim.allCases {
            for number in 0..<scale.kills {
                let start = scale.seconds * 0.05 + Double(number) * window
                blows.append(
                    Blow(
                        victim: victim, at: start + Double.random(in: 0...window * 0.7, using: &generator),
                        downFor: Double.random(in: 0.02...min(1.5, window * 0.2), using: &generator),
                        losesData: victim == .redis && number == scale.kills - 1 && scale.kills > 1))
            }
        }
        self.blows = blows.sorted { $0.at < $1.at }
    }

    /// Returns once everything is up again.
    func happen(to stage: CrashStage, under load: BeaconLoad) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for victim in Victim.allCases {
                let blows = blows.filter { $0.victim == victim }
                group.addTask {
                    for blow in blows {
                        try await Task.sleep(until: start + .seconds(blow.at))
                        try await Self.strike(blow, stage, load)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func strike(_ blow: Blow, _ stage: CrashStage, _ load: BeaconLoad) async throws {
        let (postgres, redis) = (stage.postgres, stage.redis)
        switch blow.victim {
        case .ingest: await stage.killIngest()
        case .postgres: try await onOwnThread { postgres.kill9() }
        case .redis: try await onOwnThread { redis.kill9() }
        case .rollup: await stage.killRollup()
        }
        try await Task.sleep(for: .seconds(blow.downFor))
        if blow.losesData {
            try FileManager.default.removeItem(at: redis.folder.appending(path: "appendonlydir"))
        }
        let restart = ContinuousClock.now
        switch blow.victim {
        case .ingest: load.move(toPort: try await stage.startIngest())
        case .postgres: try await postgres.start()
        case .redis: try await redis.start()
        case .rollup: try stage.startRollup()
        }
        print("crash test: \(blow): up again after \(ContinuousClock.now - restart)")
    }
}

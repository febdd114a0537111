import AsyncHTTPClient
import Core
import Foundation
import Platform
import Storage

/// Drives demo traffic at a rate, until it has lasted long enough or is stopped.
struct Simulation: Sendable {
    struct Settings: Sendable {
        var rate = 200.0
        /// Nil: until stopped.
        var duration: Duration?
        var artists = 40
        var seed: UInt64 = 1
        /// Beacons in one request, as a page sends them together.
        var batch = 5
    }

    struct Report: Sendable, Equatable {
        var sent = 0
        var outcome = TrackClient.Outcome()
        var messages = 0
        var seconds = 0.0
    }

    /// Requests under way at once; while so many are, no further beacon is made.
    static let maxRequests = 64
    static let maxBatch = 1000
    static let maxRate = 1_000_000.0
    /// How often what is due is sent.
    static let tick: Duration = .milliseconds(20)
    /// A visitor's beacons are about this far apart.
    static let thinkSeconds = 20.0

    let settings: Settings
    let client: TrackClient
    /// Where the services' messages go; nil where there is no bus.
    let redis: RedisPool?

    /// Returns once every request has its answer, or was given up.
    ///
    /// - Parameter progress: called about once a tick with what is done so far.
    func run(until stop: StopSignal, progress: (Report) -> Void) async throws -> Report {
        let catalogue = DemoCatalogue(artists: settings.artists)
        let started = ContinuousClock.now
        // Another run's ids are others, so that every run adds.
        let run = String(UInt64(Date.now.timeIntervalSince1970 * 1000), radix: 36) + String(settings.seed, radix: 36)
        var traffic = DemoTraffic(
            catalogue: catalogue, seed: settings.seed, run: run,
            activeSessions: Int(settings.rate * Self.thinkSeconds))
        var pace = Pace(rate: settings.rate)
        var report = Report()
        var inFlight = 0
        report.messages += await publish(catalogue.announcements(at: Self.now))
        await withTaskGroup(of: TrackClient.Outcome.self) { group in
            while !stop.isRaised {
                let elapsed = min(ContinuousClock.now - started, settings.duration ?? .seconds(.max / 2))
                var due = pace.due(at: elapsed)
                while due > 0, !stop.isRaised {
                    var beacons: [Beacon] = []
                    var messages: [Message] = []
                    for _ in 0..<min(due, settings.batch) {
                        let step = traffic.step(at: Self.now)
                        beacons.append(step.beacon)
                        messages += step.messages
                    }
                    due -= beacons.count
                    if inFlight == Self.maxRequests, let outcome = await group.next() {
                        report.outcome = report.outcome + outcome
                        inFlight -= 1
                    }
                    report.sent += beacons.count
                    inFlight += 1
                    group.addTask { await client.send(beacons) }
                    report.messages += await publish(messages)
                }
                progress(report)
                if let duration = settings.duration, elapsed >= duration { break }
                try? await Task.sleep(for: Self.tick)
            }
            for await outcome in group { report.outcome = report.outcome + outcome }
        }
        report.seconds = (ContinuousClock.now - started).inSeconds
        return report
    }

    /// How many were published: all, or none where Redis is away. Bookings of the demo are not worth waiting for it.
    private func publish(_ messages: [Message]) async -> Int {
        guard let redis, !messages.isEmpty else { return 0 }
        do {
            try await redis.withConnection { try MessageStream.publish(messages, on: $0) }
            return messages.count
        } catch {
            return 0
        }
    }

    private static var now: Int64 { Int64(Date.now.timeIntervalSince1970 * 1000) }
}

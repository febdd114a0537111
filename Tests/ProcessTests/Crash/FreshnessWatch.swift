import Foundation
import Storage
import Synchronization
import TestSupport

/// Notes, again and again, how fresh the pipeline says it is, and how far it is at that very moment.
final class FreshnessWatch: Sendable {
    struct Sample {
        /// Every beacon acknowledged before this instant is said to be stored.
        var shippedThrough: Int64
        /// The last number stored, by node.
        var stored: [String: Int64]
    }

    private let samples = Mutex<[Sample]>([])
    private let isOver = Mutex(false)
    private let database: PostgresConfiguration
    private static let intervalMicroseconds: UInt32 = 20_000

    init(_ database: PostgresConfiguration) {
        self.database = database
    }

    var taken: [Sample] { samples.withLock { $0 } }

    func end() { isOver.withLock { $0 = true } }

    /// Watches until `end()`. Connects again at once, so that it sees the first moments after each crash too.
    func run() async throws {
        try await onOwnThread { [self] in
            var connection: PostgresConnection?
            while !isOver.withLock({ $0 }) {
                do {
                    let current = try connection ?? PostgresConnection(database)
                    connection = current
                    let sample = try Self.look(on: current)
                    if !sample.stored.isEmpty { samples.withLock { $0.append(sample) } }
                } catch {
                    // While Postgres is away there is nothing to see.
                    connection = nil
                }
                usleep(Self.intervalMicroseconds)
            }
        }
    }

    private static func look(on connection: PostgresConnection) throws -> Sample {
        var sample = Sample(shippedThrough: .max, stored: [:])
        for row in try connection.query("SELECT node, last_seq, shipped_through FROM spool_positions") {
            sample.stored[try row.get(0)] = try row.get(1)
            sample.shippedThrough = min(sample.shippedThrough, try row.get(2, as: PostgresTimestamp.self).ms)
        }
        return sample
    }
}

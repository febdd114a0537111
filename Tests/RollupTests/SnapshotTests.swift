import Core
import Foundation
import Storage
import TestSupport
import Testing

@testable import Rollup

/// What a verification looks at, and when.
@Suite struct SnapshotTests {
    /// Its snapshot is of the moment in which no partition can go any more.
    @Test func theSnapshotIsTakenOnceRawBatchesAreHeld() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00")])
            let verifying = try await holding(["LOCK TABLE analytics_events"], on: pool) {
                let verifying = Task { try await fixture.rollup.verify(nil, helpers: 0) }
                try await pool.untilWaiting(1)
                try await pool.execute("INSERT INTO session_slots VALUES (1, 1, '\\x00')")
                return verifying
            }
            #expect(try await verifying.value.findings.contains { $0.table == "session_slots" })
        }
    }

    /// Two of an id, a day and more apart, both of which count: a retry is compared with the later one.
    @Test func theLedgerOfStampedIdsHasTheLastThatWasCounted() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let now = Int64(Date().timeIntervalSince1970) * 1000
            let instants = [30, 1].map { Instant.iso8601(now - $0 * 3_600_000) }
            try await fixture.foldOneByOne(instants.map { .at($0, message: "m", isStamped: true) })
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            try await pool.execute("UPDATE stamped_message_ids SET received_at = \(instants[0])::text::timestamptz")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.map(\.table) == ["stamped_message_ids"], "\(findings)")
        }
    }

    /// They are held for all days at once: of more than there may be none is, and the exact count decides.
    @Test func moreStampedIdsThanMayBeHeldAreLeftToTheExactCount() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(
                (1...4).map { .at("2025-12-0\($0)T12:00:00Z", message: "m", isStamped: true) })
            for (maxStamped, doubt) in [(4, nil), (3, "repeats of stamped ids")] {
                let work = ProofWork(helpers: 0, maxStamped: maxStamped)
                let proof = try await pool.withConnection { connection in
                    try connection.transaction(isolation: .repeatableRead) { connection in
                        try Proof(
                            nil, calendar: .seoul, dirty: DirtyBuckets(on: connection), work: work, on: connection)
                    }
                }
                #expect(proof.doubt == doubt)
            }
        }
    }

    /// Which hour of money waits says nothing of its month, whose days are what they were.
    @Test func aMonthOfMoneyIsComparedWhileAnHourWaits() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.pay("m1", at: "2025-12-01T12:10:00+09:00", 1000, tickets: 1)
            _ = try await fixture.rollup.run()
            try await pool.execute("UPDATE revenue_monthly SET gross = gross + 1")
            try await fixture.pay("m2", at: "2025-12-01T12:20:00+09:00", 500, tickets: 1)
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.map(\.table) == ["revenue_monthly"], "\(findings)")
        }
    }
}

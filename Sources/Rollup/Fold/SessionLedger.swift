import Core
import Storage

/// The intervals of every session, in Postgres, and what a fold's fragments change in them.
enum SessionLedger {
    /// A change of one stored interval.
    struct Changes: Equatable {
        var removed: [(session: UInt64, started: Int64)] = []
        var written: [(session: UInt64, started: Int64, ended: Int64)] = []

        static func == (left: Changes, right: Changes) -> Bool {
            left.removed.elementsEqual(right.removed, by: ==) && left.written.elementsEqual(right.written, by: ==)
        }
    }

    /// Joins `fragments` (ascending by session and start) with the stored intervals, and counts the difference in
    /// the hours in which the sessions begin. Under the apply lock.
    static func apply(
        _ fragments: [SessionFragment], to fold: inout Fold, on connection: PostgresConnection
    ) throws {
        guard !fragments.isEmpty else { return }
        var stored: [UInt64: [SessionIntervals.Interval]] = [:]
        for row in try connection.query(
            """
            SELECT s.session, s.started_ms, s.ended_ms
            FROM (SELECT DISTINCT unnest(\(fragments.map { Int64(bitPattern: $0.session) }))) AS k (session)
            JOIN session_intervals s ON s.session = k.session
            ORDER BY s.session, s.started_ms
            """)
        {
            stored[UInt64(bitPattern: try row.get(0)), default: []].append(
                .init(startMs: try row.get(1), endMs: try row.get(2)))
        }
        let changes = join(fragments, with: stored, in: &fold)
        if !changes.removed.isEmpty {
            try connection.execute(
                """
                DELETE FROM session_intervals s
                USING unnest(\(changes.removed.map { Int64(bitPattern: $0.session) }),
                    \(changes.removed.map(\.started))) AS k (session, started_ms)
                WHERE s.session = k.session AND s.started_ms = k.started_ms
                """)
        }
        if !changes.written.isEmpty {
            try connection.execute(
                """
                INSERT INTO session_intervals (session, started_ms, ended_ms)
                SELECT * FROM unnest(\(changes.written.map { Int64(bitPattern: $0.session) }),
                    \(changes.written.map(\.started)), \(changes.written.map(\.ended)))
                ON CONFLICT (session, started_ms) DO UPDATE SET ended_ms = EXCLUDED.ended_ms
                """)
        }
    }

    /// The pure part of `apply`.
    static func join(
        _ fragments: [SessionFragment], with stored: [UInt64: [SessionIntervals.Interval]], in fold: inout Fold
    ) -> Changes {
        var changes = Changes()
        var start = 0
        while start < fragments.count {
            let session = fragments[start].session
            let entity = fragments[start].entity
            var end = start
            while end < fragments.count, fragments[end].session == session { end += 1 }
            let before = stored[session] ?? []
            if before.isEmpty, end == start + 1 {
                // Nearly every key: one interval, and the first of it.
                let fragment = fragments[start]
                fold.addSessions(
                    1, milliseconds: fragment.ended - fragment.started, entity: entity, startingAt: fragment.started)
                changes.written.append((session, fragment.started, fragment.ended))
                start = end
                continue
            }
            var joined = SessionIntervals(before)
            for fragment in fragments[start..<end] {
                joined.add(.init(startMs: fragment.started, endMs: fragment.ended))
            }
            let after = joined.intervals
            start = end

            // Both are a handful of intervals, mostly one.
            for interval in before where !after.contains(interval) {
                fold.addSessions(
                    -1, milliseconds: -interval.durationMs, entity: entity, startingAt: interval.startMs)
                if !after.contains(where: { $0.startMs == interval.startMs }) {
                    changes.removed.append((session, interval.startMs))
                }
            }
            for interval in after where !before.contains(interval) {
                fold.addSessions(1, milliseconds: interval.durationMs, entity: entity, startingAt: interval.startMs)
                changes.written.append((session, interval.startMs, interval.endMs))
            }
        }
        return changes
    }
}

import Core
import Storage

/// The pieces of every session, in Postgres.
enum SessionLedger {
    /// Joins a fold's fragments with the stored pieces, counts the difference and stores what is new. Under the apply lock.
    ///
    /// - Parameters:
    ///   - fragments: as `Fold.takeSessions` gives them.
    ///   - run: a number that no other fold has.
    static func apply(
        _ fragments: [SessionFragment], run: Int64, to fold: inout Fold, calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws {
        guard !fragments.isEmpty else { return }
        var join = SessionJoin(fragments)
        var merging = RunMerging()
        // By slot what the fold is about to add: its runs grow with it.
        var gathered: [Int32: Int] = [:]
        for fragment in fragments { gathered[fragment.slot, default: 0] += pieceBytes }
        var merged: [Int32: (runs: [Int64], pieces: [[SessionPiece]])] = [:]
        while !join.wanted.isEmpty {
            let slots = join.wanted.keys.sorted()
            try read(slots, calendar, on: connection) { slot, run, bytes, pieces in
                join.add(pieces, slot: slot)
                if let size = gathered[slot], merging.takes(bytes, with: size) {
                    gathered[slot] = size + bytes
                    merged[slot, default: ([], [])].runs.append(run)
                    merged[slot]!.pieces.append(pieces)
                }
            }
            join.settle(in: &fold)
            // Runs of slots that are asked for once more are not offered again.
            gathered = [:]
        }
        try write(join.written, merged, run: run, on: connection)
    }

    /// What a piece takes, about: it is decided before encoding which runs are merged.
    private static let pieceBytes = 12

    /// Every run of the slots, the smallest of a slot first.
    static func read(
        _ slots: [Int32], _ calendar: ReportingCalendar, on connection: PostgresConnection,
        each body: (_ slot: Int32, _ run: Int64, _ bytes: Int, _ pieces: [SessionPiece]) throws -> Void
    ) throws {
        try connection.stream(
            """
            SELECT slot, run, pieces FROM session_slots WHERE slot = ANY(\(slots))
            ORDER BY slot, octet_length(pieces), run
            """
        ) { row in
            let slot = try row.get(0, as: Int32.self)
            let (bytes, pieces) = try row.withBytes(2) { bytes in
                do {
                    return (bytes.count, try SessionSlotRun.decode(bytes, slot: slot))
                } catch {
                    throw UndecodableRow.sessions(ofSlot: slot, calendar, reason: "\(error)")
                }
            }
            try body(slot, try row.get(1), bytes, pieces)
        }
    }

    private static func write(
        _ written: [Int32: [SessionPiece]], _ merged: [Int32: (runs: [Int64], pieces: [[SessionPiece]])], run: Int64,
        on connection: PostgresConnection
    ) throws {
        let slots = written.keys.sorted()
        // A slot of which nothing changed keeps its runs.
        let replaced = slots.flatMap { slot in (merged[slot]?.runs ?? []).map { (slot: slot, run: $0) } }
        if !replaced.isEmpty {
            try connection.execute(
                """
                DELETE FROM session_slots s USING unnest(\(replaced.map(\.slot)), \(replaced.map(\.run))) AS k (slot, run)
                WHERE s.slot = k.slot AND s.run = k.run
                """)
        }
        let runs = slots.map { slot in
            let pieces = (merged[slot]?.pieces ?? []).reduce(written[slot]!.sorted { $0.session < $1.session }) {
                SessionPiece.merged($0, $1)
            }
            return SessionSlotRun.encode(sorted: pieces, slot: slot)
        }
        try connection.execute(
            """
            INSERT INTO session_slots (slot, run, pieces)
            SELECT slot, \(run), pieces FROM unnest(\(slots), \(runs)) AS new (slot, pieces)
            """)
    }
}

extension SessionPiece {
    /// Two runs of one slot as one, ascending by session.
    static func merged(_ left: [SessionPiece], _ right: [SessionPiece]) -> [SessionPiece] {
        var merged: [SessionPiece] = []
        merged.reserveCapacity(left.count + right.count)
        var next = 0
        for piece in left {
            while next < right.count, right[next].session < piece.session {
                merged.append(right[next])
                next += 1
            }
            var piece = piece
            if next < right.count, right[next].session == piece.session {
                piece.merge(right[next])
                next += 1
            }
            merged.append(piece)
        }
        merged += right[next...]
        return merged
    }
}

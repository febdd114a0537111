import Core
import Storage

/// One step of the rollup: claims pending batches, folds them and adds them to the hours, in one transaction.
enum FoldTransaction {
    struct Result: Sendable, Equatable {
        var batches = 0
        var beacons = 0
        var repeats = 0
        /// Set aside, for good.
        var damaged: [DamagedBatches.Finding] = []

        var isEmpty: Bool { batches == 0 && damaged.isEmpty }
    }

    /// These can't be folded: Postgres refuses what one of them alone holds, or they need a row that can't be decoded.
    private struct Refused: Error {
        var keys: [BatchKey]
        var reason: String
    }

    /// Folds up to `Claim.maxBatches`; an empty result means that nothing was pending.
    ///
    /// Where Postgres refuses the data of one of them, fewer and fewer are tried, and the one that is it is set aside.
    /// Those that add to a row that can't be decoded are set aside until a rebuild has replaced it; the others go on.
    static func run(calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Result {
        var maxBatches = Claim.maxBatches
        while true {
            do {
                return try run(maxBatches: maxBatches, calendar: calendar, on: connection)
            } catch let error as PostgresError where error.isAboutData && maxBatches > 1 {
                maxBatches /= 4
            } catch is UndecodableRow where maxBatches > 1 {
                maxBatches /= 4
            } catch let refused as Refused {
                let findings = refused.keys.map { DamagedBatches.Finding(key: $0, reason: refused.reason) }
                // Another runner may have taken some since.
                let aside = Set(try connection.transaction { try DamagedBatches.setAside(findings, on: $0) })
                return Result(damaged: findings.filter { aside.contains($0.key) })
            }
        }
    }

    private static func run(
        maxBatches: Int, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Result {
        var claimed: [Claim.Batch] = []
        do {
            return try connection.transaction { connection in
                try connection.execute(.planForValues)
                let claim = try Claim(maxBatches: maxBatches, on: connection)
                claimed = claim.batches
                return try fold(claim, calendar: calendar, on: connection)
            }
        } catch let error as PostgresError where error.isAboutData && claimed.count == 1 {
            throw Refused(keys: [claimed[0].key], reason: "Postgres refuses it: \(error.message)")
        } catch let row as UndecodableRow {
            var needing = claimed.filter { $0.holds(row.instants) }
            // A session reaches back to an hour in which the batch has no beacon.
            if needing.isEmpty && claimed.count == 1 { needing = claimed }
            guard !needing.isEmpty else { throw row }
            throw Refused(keys: needing.map(\.key), reason: "\(row)")
        }
    }

    private static func fold(
        _ claim: Claim, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Result {
        guard !claim.batches.isEmpty else { return Result(damaged: claim.damaged) }
        var messages = RepeatedMessages()
        for (number, batch) in claim.batches.enumerated() { messages.add(batch.beacons, number: number) }

        try ApplyLock.take(on: connection)
        // Drawn under the lock, so the numbers' order is the order in which repeats were decided.
        let foldSeqs = try connection.query(
            "SELECT nextval('fold_seq') FROM generate_series(1, \(Int32(claim.batches.count)))"
        ).map { try $0.get(0, as: Int64.self) }
        let decision = try MessageIds.decide(&messages, run: foldSeqs[0], calendar: calendar, on: connection)

        var fold = Fold()
        for (number, batch) in claim.batches.enumerated() {
            let isRepeat = RowSet(decision.repeats[number] ?? [], of: batch.beacons.count)
            fold.add(batch.beacons, except: isRepeat)
        }
        try SessionLedger.apply(
            fold.takeSessions(), run: foldSeqs[0], to: &fold, calendar: calendar, on: connection)
        try add(fold, number: foldSeqs[0], calendar: calendar, on: connection)
        try recordFolded(claim, foldSeqs, decision, on: connection)
        return Result(
            batches: claim.batches.count, beacons: claim.batches.reduce(0) { $0 + $1.beacons.count },
            repeats: decision.repeats.values.reduce(0) { $0 + $1.count }, damaged: claim.damaged)
    }

    /// Adds the fold's cells to the stored hours and marks their days.
    private static func add(
        _ fold: Fold, number: Int64, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws {
        var dirty: Set<DirtyLedger.Key> = []
        var days = DayLookup(calendar)
        for family in TrafficFamily.allCases {
            let changed = fold.sortedCells(of: family)
            let stored = try TrafficTable.hours(
                family, changed.map { ($0.entity, $0.hour) }, calendar: calendar, on: connection)
            var written: [(entity: ExactText, hour: Int64, cell: TrafficCell)] = []
            var removed: [(entity: ExactText, hour: Int64)] = []
            for (index, change) in changed.enumerated() {
                var cell = change.cell
                if let stored = stored[index] { cell.merge(stored) }
                if cell.isEmpty {
                    if stored[index] != nil { removed.append((change.entity, change.hour)) }
                } else {
                    written.append((change.entity, change.hour, cell))
                }
                dirty.insert(
                    .init(family: family.rawValue, entity: change.entity, bucket: days.day(of: change.hour)))
            }
            try TrafficTable.write(family, hours: written, on: connection)
            try TrafficTable.remove(family, hours: removed, on: connection)
        }
        try DirtyLedger.mark(Array(dirty), .day, on: connection)
        try DeriveDetails.mark(Set(dirty.map(\.bucket)), fold: number, on: connection)
    }

    private static func recordFolded(
        _ claim: Claim, _ foldSeqs: [Int64], _ decision: RepeatedMessages.Decision, on connection: PostgresConnection
    ) throws {
        let keys = claim.batches.map(\.key)
        try connection.execute(
            """
            INSERT INTO rollup_folded (received_day, node, seq, fold_seq)
            SELECT * FROM unnest(\(keys.map(\.day)), \(keys.map(\.node)), \(keys.map(\.seq)), \(foldSeqs))
            """)
        for (number, rows) in decision.repeats.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                """
                UPDATE rollup_folded SET duplicates = \(rows)
                WHERE received_day = \(keys[number].day) AND node = \(keys[number].node) AND seq = \(keys[number].seq)
                """)
        }
    }
}

import Core
import Platform
import Storage

/// What a ranking by page, referrer, country or device was found in.
struct FoundTop: Sendable {
    var rows: [TopAnswer.Row]
    var coverage: TopCoverage?
    var freshness: Freshness
    var explanation: Explanation
}

extension QueryEngine {
    /// From stored breakdowns, and from raw beacons where those say more; of another zone from raw beacons alone.
    func brokenDownTop(
        _ question: TopQuestion, _ plan: PeriodPlan, _ context: PlanContext
    ) async throws -> FoundTop {
        guard plan.source == .calendarTables else { return try await scannedTop(question, plan, context) }
        let found = try await snapshot(from: rankings) { connection in
            try Self.brokenDownTop(question, plan, context, mayScan: false, on: connection)
        }
        if let found { return found }
        return try await scans.withConnection { connection in
            try connection.transaction(isolation: .repeatableRead) { connection in
                try connection.execute(.planForValues)
                do {
                    return try Self.brokenDownTop(question, plan, context, mayScan: true, on: connection)!
                } catch is InvalidParameter {
                    // More values than can be counted at once: then what is stored.
                    return try Self.brokenDownTop(
                        question, plan, context, mayScan: true, maxScanDays: 0, on: connection)!
                }
            }
        }
    }

    /// Nil where raw beacons have to be read and may not.
    private static func brokenDownTop(
        _ question: TopQuestion, _ plan: PeriodPlan, _ context: PlanContext, mayScan: Bool,
        maxScanDays: Int = TopQuestion.maxScanDays, on connection: PostgresConnection
    ) throws -> FoundTop? {
        let stale = try DetailQueries.stale(plan.days, on: connection)
        let cut = try connection.query(
            BreakdownQueries.cutDays(question.artistID, question.dimension, question.metric, plan.days)
        ).map { try $0.get(0, as: Day.self) }
        let days = BreakdownPlan(
            plan.days, stale: Set(stale.days), cut: Set(cut), firstRaw: try firstRawDay(on: connection),
            maxScanDays: maxScanDays)
        guard mayScan || days.scanned.isEmpty else { return nil }

        var scanned = ScannedTop(question)
        for range in days.scanned {
            let instants =
                plan.calendar.start(of: range.lowerBound)..<plan.calendar.start(of: range.upperBound + 1)
            guard !instants.isEmpty else { continue }
            try FoldedBatches(instants, artistID: question.artistID, columns: ScannedTop.columns(question))
                .each(on: connection) { try scanned.add($0) }
        }
        var merged = MergedTop(question, scanned)
        try merged.add(days.stored, on: connection)
        var whole = plan.asOneByMonths
        whole.granularity = .monthly
        let reader = try TrafficReader(
            whole, question.artistID.map(TrafficSubject.artist) ?? .site, on: connection)
        let (rows, coverage) = merged.finish(total: reader.totalCell)

        var freshness = try FreshnessQueries.read(on: connection, now: context.now)
        if let day = days.firstStale { freshness.asOf = min(freshness.asOf, plan.calendar.start(of: day)) }
        var explanation = Explanation()
        explanation.say("traffic_breakdown_daily", days.stored)
        explanation.say("analytics_events", days.scanned)
        for line in reader.explanation.lines { explanation.say("total from \(line)") }
        return FoundTop(rows: rows, coverage: coverage, freshness: freshness, explanation: explanation)
    }

    /// The first reporting day all of whose raw beacons are there: they are received on their own day or later, which in
    /// UTC may be the day before. Nil where none were dropped.
    static func firstRawDay(on connection: PostgresConnection) throws -> Day? {
        try connection.query(BreakdownQueries.lastDropped)[0].get(0, as: Day?.self).map { $0 + 2 }
    }
}

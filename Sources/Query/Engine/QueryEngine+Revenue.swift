import Core
import Platform
import Storage

extension QueryEngine {
    /// - Throws: `InvalidParameter`, or what the database throws.
    package func revenue(_ question: RevenueQuestion) async throws -> RevenueAnswer {
        let context = context
        var plan = try PeriodPlan(question.period, context)
        // There is no tail: messages are in the ledger as soon as they are known.
        plan.tailDay = nil
        let settled = plan
        let before = try question.compare.map { try plan.earlier($0, question.period, context) }
        let ((rows, explanation), earlier, freshness) = try await snapshot { connection in
            (
                try Self.revenueRows(settled, question, on: connection),
                try before.map { try Self.revenueRows($0, question, on: connection).0 },
                try FreshnessQueries.ofMessages(on: connection, now: context.now)
            )
        }
        return RevenueAnswer(
            days: plan.days, period: plan.granularity, currency: question.currency, artistID: question.artistID,
            timeZone: plan.calendar.identifier, data: rows,
            comparison: earlier.map {
                Comparison(days: before!.days, total: $0.reduce(into: RevenueNumbers()) { $0 += $1.numbers })
            },
            growthRate: Self.growth(plan.buckets, rows, asOf: freshness.asOf), freshness: freshness,
            complete: plan.end <= freshness.asOf, explanation: explanation)
    }

    private static func revenueRows(
        _ plan: PeriodPlan, _ question: RevenueQuestion, on connection: PostgresConnection
    ) throws -> ([RevenueAnswer.Row], Explanation) {
        let parts = try revenueParts(plan, isMonthly: plan.granularity == .monthly, on: connection)
        var rows = plan.buckets.map { RevenueAnswer.Row(label: $0.label, numbers: RevenueNumbers()) }
        let sql = RevenueQueries.buckets(parts, currency: question.currency, artistID: question.artistID)
        for row in try connection.query(sql) {
            let bucket = Int(try row.get(0, as: Int32.self))
            rows[bucket].numbers = try RevenueNumbers(row, from: 1)
            if let top = try row.get(6, as: String?.self) {
                rows[bucket].topArtist = RevenueAnswer.TopArtist(
                    id: top, name: try row.get(7), revenue: try row.get(8))
            }
        }
        return (rows, parts.explanation)
    }

    /// Which rows make up each bucket of the plan, read in the snapshot of the transaction that is under way.
    static func revenueParts(
        _ plan: PeriodPlan, isMonthly: Bool, on connection: PostgresConnection
    ) throws -> RevenueQueries.Parts {
        let dirty = try DirtyQueries.read(
            DirtyQueries.buckets(family: "revenue", entity: "", of: plan), on: connection, plan.calendar)
        var parts = RevenueQueries.Parts()
        for (index, bucket) in plan.buckets.enumerated() {
            parts.append(
                Cover(bucket, from: plan.source, isMonthly: isMonthly, tailDay: nil, dirty: dirty, plan.calendar),
                to: index)
        }
        return parts
    }

    /// Percent change, in tenths, of the last complete period on the one before. Both must lie whole in the range.
    static func growth(_ buckets: [Bucket], _ rows: [RevenueAnswer.Row], asOf: Int64) -> Int64? {
        guard let last = buckets.lastIndex(where: { $0.isWhole && $0.instants.upperBound <= asOf }), last > 0,
            buckets[last - 1].isWhole
        else { return nil }
        return Rounded.change(from: rows[last - 1].numbers.revenue, to: rows[last].numbers.revenue)
    }
}

extension RevenueNumbers {
    init(_ row: PostgresRow, from column: Int) throws {
        self.init(
            gross: try row.get(column), refunds: try row.get(column + 1), orders: try row.get(column + 2),
            tickets: try row.get(column + 3), refundedTickets: try row.get(column + 4))
    }
}

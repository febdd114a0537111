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
        let (rows, explanation, earlier, freshness, growthRate) = try await snapshot { connection in
            let (rows, tables) = try Self.revenueRows(settled, question, on: connection)
            var explanation = tables
            let earlier = try before.map { try Self.revenueRows($0, question, on: connection).0 }
            let freshness = try FreshnessQueries.ofMessages(on: connection, now: context.now)
            var growthRate: Int64?
            if let last = settled.buckets.lastIndex(where: { $0.isWhole && $0.instants.upperBound <= freshness.asOf }),
                let revenue = try Self.revenueBefore(
                    last, settled, rows, question, context, &explanation, on: connection)
            {
                growthRate = Rounded.change(from: revenue, to: rows[last].numbers.revenue)
            }
            return (rows, explanation, earlier, freshness, growthRate)
        }
        return RevenueAnswer(
            days: plan.days, period: plan.granularity, currency: question.currency, artistID: question.artistID,
            timeZone: plan.timeZone, data: rows,
            comparison: earlier.map {
                Comparison(days: before!.days, total: $0.reduce(into: RevenueNumbers()) { $0 += $1.numbers })
            },
            growthRate: growthRate, freshness: freshness,
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

    /// Of the whole period before a bucket of the plan, which may lie before the range, or be cut by it. Nil where none is.
    private static func revenueBefore(
        _ bucket: Int, _ plan: PeriodPlan, _ rows: [RevenueAnswer.Row], _ question: RevenueQuestion,
        _ context: PlanContext, _ explanation: inout Explanation, on connection: PostgresConnection
    ) throws -> Int64? {
        if bucket > 0 && plan.buckets[bucket - 1].isWhole { return rows[bucket - 1].numbers.revenue }
        guard let before = plan.before(plan.buckets[bucket], question.period, context) else { return nil }
        let (earlier, tables) = try revenueRows(before, question, on: connection)
        for line in tables.lines { explanation.say("growth since \(line)") }
        return earlier.reduce(0) { $0 + $1.numbers.revenue }
    }
}

extension PeriodPlan {
    /// Of the whole period before one of this plan's buckets; nil where the zone left its day out.
    func before(_ bucket: Bucket, _ period: Period, _ context: PlanContext) -> PeriodPlan? {
        let last = bucket.days.lowerBound - 1
        let first =
            switch granularity {
            case .hourly, .daily: last
            case .weekly: last.mondayOfWeek
            case .monthly: last.firstOfMonth
            }
        var period = period
        (period.startDate, period.endDate) = (first, last)
        var plan = try? PeriodPlan(period, context)
        plan?.tailDay = nil
        return plan
    }
}

extension RevenueNumbers {
    init(_ row: PostgresRow, from column: Int) throws {
        self.init(
            gross: try row.get(column), refunds: try row.get(column + 1), orders: try row.get(column + 2),
            tickets: try row.get(column + 3), refundedTickets: try row.get(column + 4))
    }
}

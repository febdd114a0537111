import Core
import Platform
import Storage

extension QueryEngine {
    /// - Throws: `InvalidParameter`, or what the database throws.
    package func top(_ question: TopQuestion) async throws -> TopAnswer {
        let context = context
        let plan = try PeriodPlan(question.period, context)
        let found =
            question.dimension.isRolledUp
            ? try await snapshot(from: rankings) { connection in
                let top = try Self.rolledUpTop(question, plan, on: connection)
                return FoundTop(
                    rows: top.rows,
                    freshness: question.metric == .revenue
                        ? try FreshnessQueries.ofMessages(on: connection, now: context.now)
                        : try FreshnessQueries.read(on: connection, now: context.now),
                    explanation: top.explanation)
            } : try await brokenDownTop(question, plan, context)
        return TopAnswer(
            dimension: question.dimension, metric: question.metric, currency: question.currency, days: plan.days,
            timeZone: plan.timeZone, rows: found.rows, coverage: found.coverage,
            freshness: found.freshness, complete: plan.end <= found.freshness.asOf, explanation: found.explanation)
    }

    static func rolledUpTop(
        _ question: TopQuestion, _ plan: PeriodPlan, on connection: PostgresConnection
    ) throws -> (rows: [TopAnswer.Row], explanation: Explanation) {
        let family: TrafficFamily = question.dimension == .event ? .event : .artist
        let ranked: [(key: String, value: Int64)]
        var explanation = Explanation()
        switch question.metric {
        case .pageViews, .sessions:
            let top = try topPlan(family, plan, on: connection)
            explanation.say(top, family)
            ranked = try connection.query(
                TopQueries.ranked(family, question.metric, top, limit: question.limit, plan.calendar)
            ).map { (try $0.get(0), try $0.get(1)) }
        case .uniqueVisitors:
            let top = try topPlan(family, plan, on: connection)
            explanation.say(top, family)
            ranked = try mostVisited(TopQueries.sketches(family, top, plan.calendar), question.limit, on: connection)
        case .revenue:
            let parts = try revenueParts(plan.asOneByMonths, isMonthly: true, on: connection)
            explanation = parts.explanation
            ranked = try connection.query(
                RevenueQueries.top(
                    parts, by: question.dimension, currency: question.currency, limit: question.limit)
            ).map { (try $0.get(0), try $0.get(1)) }
        }
        let names = try NameQueries.read(family, ranked.map(\.key), on: connection)
        let rows = ranked.map { TopAnswer.Row(key: $0.key, name: names[ExactText($0.key)], value: $0.value) }
        return (rows, explanation)
    }

    private static func topPlan(
        _ family: TrafficFamily, _ plan: PeriodPlan, on connection: PostgresConnection
    ) throws -> TopPlan {
        try DirtyQueries.requireHours(plan, on: connection)
        let dirty =
            plan.source == .calendarTables
            ? try DirtyQueries.read(
                DirtyQueries.buckets(family: family.rawValue, of: plan), on: connection, plan.calendar)
            : DirtyBuckets()
        return TopPlan(plan, dirty: dirty)
    }

    /// One sketch at a time: the rows come ordered by id.
    private static func mostVisited(
        _ sql: SQL, _ limit: Int, on connection: PostgresConnection
    ) throws -> [(key: String, value: Int64)] {
        var list = TopList<ExactText>(maxCount: limit)
        var id: ExactText?
        var traffic = TrafficCell()
        func close() {
            if let id, !traffic.visitors.isEmpty { list.add(id, traffic.numbers.uniqueVisitors) }
        }
        try connection.stream(sql) { row in
            let next = ExactText(try row.get(0))
            let cell = TrafficCell(
                beacons: try row.get(1), visitors: try row.withBytes(2) { try VisitorSketch(bytes: $0) })
            if next == id {
                traffic.merge(cell)
            } else {
                close()
                id = next
                traffic = cell
            }
        }
        close()
        return list.items.map { ($0.key.string, $0.value) }
    }
}

extension PeriodPlan {
    /// The same range in months, for sums over all of it.
    var asOneByMonths: PeriodPlan {
        var plan = self
        plan.tailDay = nil
        if source == .calendarTables { plan.buckets = Bucket.spans(of: .monthly, in: days, calendar) }
        return plan
    }
}

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
                FoundTop(
                    rows: try Self.rolledUpTop(question, plan, on: connection),
                    freshness: question.metric == .revenue
                        ? try FreshnessQueries.ofMessages(on: connection, now: context.now)
                        : try FreshnessQueries.read(on: connection, now: context.now),
                    explanation: Self.explanation(question, plan))
            } : try await brokenDownTop(question, plan, context)
        return TopAnswer(
            dimension: question.dimension, metric: question.metric, currency: question.currency, days: plan.days,
            timeZone: plan.calendar.identifier, rows: found.rows, coverage: found.coverage,
            freshness: found.freshness, complete: plan.end <= found.freshness.asOf, explanation: found.explanation)
    }

    private static func explanation(_ question: TopQuestion, _ plan: PeriodPlan) -> Explanation {
        var explanation = Explanation()
        let tables = question.metric == .revenue ? "revenue" : "\(question.dimension.rawValue)_traffic"
        explanation.say("\(tables) tables", [plan.days])
        return explanation
    }

    static func rolledUpTop(
        _ question: TopQuestion, _ plan: PeriodPlan, on connection: PostgresConnection
    ) throws -> [TopAnswer.Row] {
        let family: TrafficFamily = question.dimension == .event ? .event : .artist
        let ranked: [(key: String, value: Int64)]
        switch question.metric {
        case .pageViews, .sessions:
            let top = try topPlan(family, plan, on: connection)
            ranked = try connection.query(
                TopQueries.ranked(family, question.metric, top, limit: question.limit, plan.calendar)
            ).map { (try $0.get(0), try $0.get(1)) }
        case .uniqueVisitors:
            let top = try topPlan(family, plan, on: connection)
            ranked = try mostVisited(TopQueries.sketches(family, top, plan.calendar), question.limit, on: connection)
        case .revenue:
            ranked = try connection.query(
                RevenueQueries.top(
                    revenueParts(plan.asOneByMonths, isMonthly: true, on: connection), by: question.dimension,
                    currency: question.currency, limit: question.limit)
            ).map { (try $0.get(0), try $0.get(1)) }
        }
        let names = try NameQueries.read(family, ranked.map(\.key), on: connection)
        return ranked.map { TopAnswer.Row(key: $0.key, name: names[ExactText($0.key)], value: $0.value) }
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

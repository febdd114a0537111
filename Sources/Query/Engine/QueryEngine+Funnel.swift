import Core
import Platform
import Storage

extension QueryEngine {
    /// - Throws: `InvalidParameter`, or what the database throws.
    package func funnel(_ question: FunnelQuestion) async throws -> FunnelAnswer {
        let context = context
        var plan = try PeriodPlan(question.period, context)
        // Every step as far as it is stored: no step may run ahead of those after it.
        plan.tailDay = nil
        let (settled, eventID) = (plan, question.eventID)
        return try await snapshot { connection in
            let (rows, explanation) = try Self.funnelRows(settled, eventID, on: connection)
            var answer = FunnelAnswer(
                eventID: eventID, name: try NameQueries.read(.event, [eventID], on: connection)[ExactText(eventID)],
                days: settled.days, granularity: settled.granularity, timeZone: settled.timeZone,
                reportingZone: context.reporting.identifier, rows: rows,
                freshness: try FreshnessQueries.ofEverything(on: connection, now: context.now), complete: false,
                explanation: explanation)
            if settled.source == .calendarTables { try Self.addVisitors(to: &answer, settled, on: connection) }
            answer.complete = settled.end <= answer.freshness.asOf
            return answer
        }
    }

    /// Only of whole reporting days: sketches can be merged, but not taken apart.
    private static func addVisitors(
        to answer: inout FunnelAnswer, _ plan: PeriodPlan, on connection: PostgresConnection
    ) throws {
        let reader = try FunnelReader(plan, eventID: answer.eventID, on: connection)
        var total = FunnelSketches()
        for (place, sketches) in reader.buckets.enumerated() {
            answer.rows[place].visitors = sketches.visitors(of: answer.rows[place].numbers)
            total.merge(sketches)
        }
        answer.totalVisitors = total.visitors(of: answer.total)
        for line in reader.explanation.lines { answer.explanation.say(line) }
        if let asOf = reader.asOf { answer.freshness.asOf = min(answer.freshness.asOf, asOf) }
    }

    private static func funnelRows(
        _ plan: PeriodPlan, _ eventID: String, on connection: PostgresConnection
    ) throws -> ([FunnelAnswer.Row], Explanation) {
        let reader = try TrafficReader(plan, .event(eventID), on: connection)
        var explanation = reader.explanation
        explanation.say("reservation_states: \(plan.days.lowerBound) to \(plan.days.upperBound)")
        var rows = zip(plan.buckets, reader.buckets).map {
            FunnelAnswer.Row(label: $0.label, numbers: FunnelNumbers(views: $1.pageViews, seatViews: $1.seatViews))
        }
        let buckets = plan.buckets.enumerated().map { (bucket: Int32($0.offset), instants: $0.element.instants) }
        for row in try connection.query(FunnelQueries.reservations(buckets, eventID: eventID)) {
            rows[Int(try row.get(0, as: Int32.self))].numbers.reservations = try row.get(1)
        }
        let parts = try revenueParts(plan, isMonthly: plan.granularity == .monthly, on: connection)
        let currencies = try connection.query(RevenueQueries.currencies).map { try $0.get(0, as: String.self) }
        for row in try connection.query(RevenueQueries.totals(parts, currencies: currencies, eventID: eventID)) {
            rows[Int(try row.get(0, as: Int32.self))].numbers.payments += try row.get(4, as: Int64.self)
        }
        for line in parts.explanation.lines { explanation.say(line) }
        return (rows, explanation)
    }
}

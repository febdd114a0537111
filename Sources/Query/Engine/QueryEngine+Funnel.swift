import Core
import Storage

extension QueryEngine {
    /// - Throws: `InvalidQuestion`, or what the database throws.
    package func funnel(_ question: FunnelQuestion) async throws -> FunnelAnswer {
        let context = context
        var plan = try PeriodPlan(question.period, context)
        // Every step as far as it is stored: no step may run ahead of those after it.
        plan.tailDay = nil
        let (settled, eventID) = (plan, question.eventID)
        let ((rows, explanation), name, freshness) = try await snapshot { connection in
            (
                try Self.funnelRows(settled, eventID, on: connection),
                try NameQueries.read(.event, [eventID], on: connection)[ExactText(eventID)],
                try FreshnessQueries.ofEverything(on: connection, now: context.now)
            )
        }
        return FunnelAnswer(
            eventID: eventID, name: name, days: plan.days, granularity: plan.granularity,
            timeZone: plan.calendar.identifier, rows: rows, freshness: freshness,
            complete: plan.end <= freshness.asOf, explanation: explanation)
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

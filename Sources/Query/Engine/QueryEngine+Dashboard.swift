import Core
import Platform
import Storage

extension QueryEngine {
    static let dashboardDays = 30
    static let dashboardTopCount = 10

    package func dashboard() async throws -> DashboardAnswer {
        let context = context
        let plan = try PeriodPlan.dashboard(context)
        let range = try PeriodPlan(
            Period(startDate: context.today - (Self.dashboardDays - 1), endDate: context.today), context)
        async let visitors = visitorsLast5Minutes()
        let read = try await snapshot { connection in
            let traffic = try TrafficReader(plan, .site, on: connection)
            let (revenue, parts) = try Self.revenueByCurrency(plan, on: connection)
            let artists = try Self.rolledUpTop(
                TopQuestion(by: .artist, limit: Self.dashboardTopCount), range, on: connection)
            let events = try Self.rolledUpTop(
                TopQuestion(by: .event, limit: Self.dashboardTopCount), range, on: connection)
            var explanation = Explanation()
            for part in [traffic.explanation, parts, artists.explanation, events.explanation] {
                for line in part.lines { explanation.say(line) }
            }
            explanation.say("reservation_states", [range.days])
            return DashboardRead(
                traffic: traffic.buckets, revenue: revenue, topArtists: artists.rows, topEvents: events.rows,
                reservations: try connection.query(FunnelQueries.reservations(range.start..<range.end))[0].get(0),
                freshness: try FreshnessQueries.ofEverything(on: connection, now: context.now),
                explanation: explanation)
        }
        // Buckets: the thirty days before, the last thirty without the last two, yesterday, today.
        let lastDays = read.traffic[1...3].reduce(into: TrafficCell()) { $0.merge($1) }
        let lastDaysRevenue = read.revenue[1...3].reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        let seen = await visitors
        var explanation = read.explanation
        if seen != nil { explanation.say("Redis: visitors of the last five minutes") }
        return DashboardAnswer(
            today: DashboardAnswer.Totals(
                days: context.today...context.today, traffic: read.traffic[3].numbers,
                trafficBefore: read.traffic[2].numbers, revenue: read.revenue[3], revenueBefore: read.revenue[2]),
            lastDays: DashboardAnswer.Totals(
                days: range.days, traffic: lastDays.numbers, trafficBefore: read.traffic[0].numbers,
                revenue: lastDaysRevenue, revenueBefore: read.revenue[0]),
            topArtists: read.topArtists, topEvents: read.topEvents, visitorsLast5Minutes: seen,
            funnel: FunnelNumbers(
                views: lastDays.pageViews, seatViews: lastDays.seatViews, reservations: read.reservations,
                payments: lastDaysRevenue.values.reduce(0) { $0 + $1.orders }),
            freshness: read.freshness, complete: range.end <= read.freshness.asOf, explanation: explanation)
    }

    private struct DashboardRead: Sendable {
        let traffic: [TrafficCell]
        let revenue: [[String: RevenueNumbers]]
        let topArtists: [TopAnswer.Row]
        let topEvents: [TopAnswer.Row]
        let reservations: Int64
        let freshness: Freshness
        let explanation: Explanation
    }

    private static func revenueByCurrency(
        _ plan: PeriodPlan, on connection: PostgresConnection
    ) throws -> (buckets: [[String: RevenueNumbers]], explanation: Explanation) {
        var buckets = Array(repeating: [String: RevenueNumbers](), count: plan.buckets.count)
        let parts = try revenueParts(plan, isMonthly: false, on: connection)
        let currencies = try connection.query(RevenueQueries.currencies).map { try $0.get(0, as: String.self) }
        for row in try connection.query(RevenueQueries.totals(parts, currencies: currencies)) {
            buckets[Int(try row.get(0, as: Int32.self))][try row.get(1)] = try RevenueNumbers(row, from: 2)
        }
        return (buckets, parts.explanation)
    }
}

extension PeriodPlan {
    /// Four buckets without overlap, from which today, the last thirty days and what came before each can be added up.
    static func dashboard(_ context: PlanContext) throws(InvalidParameter) -> PeriodPlan {
        let (today, days) = (context.today, QueryEngine.dashboardDays)
        var plan = try PeriodPlan(Period(startDate: today - (2 * days - 1), endDate: today), context)
        plan.tailDay = nil
        plan.buckets = [
            (today - (2 * days - 1))...(today - days), (today - (days - 1))...(today - 2), (today - 1)...(today - 1),
            today...today,
        ].map { days in
            Bucket(
                label: days.lowerBound.description, days: days,
                instants: context.reporting.start(
                    of: days.lowerBound)..<context.reporting.start(of: days.upperBound + 1),
                isWhole: true)
        }
        return plan
    }
}

extension RevenueNumbers {
    static func + (left: RevenueNumbers, right: RevenueNumbers) -> RevenueNumbers {
        var sum = left
        sum += right
        return sum
    }
}

import Core
import Storage

/// Reads what a traffic plan asks for, bucket by bucket.
struct TrafficReader {
    private(set) var buckets: [TrafficCell]
    /// Page views that the rollups hold for the plan's `tailDay`.
    private(set) var tailDayViews: Int64 = 0
    let explanation: Explanation
    private let plan: PeriodPlan
    private let tailInstants: Range<Int64>

    /// Two statements, in the snapshot of the transaction that is under way.
    init(_ plan: PeriodPlan, _ subject: TrafficSubject, on connection: PostgresConnection) throws {
        self.plan = plan
        buckets = Array(repeating: TrafficCell(), count: plan.buckets.count)
        tailInstants = plan.tailDay.map(plan.calendar.range(of:)) ?? 0..<0
        var dirty = DirtyBuckets()
        try DirtyQueries.requireHours(plan, on: connection)
        if plan.source == .calendarTables {
            dirty = try DirtyQueries.read(
                DirtyQueries.buckets(family: subject.family.rawValue, entity: subject.entity, of: plan),
                on: connection, plan.calendar)
        }
        let cover = Cover(plan, dirty: dirty)
        var explanation = Explanation()
        explanation.say(cover, table: subject.family.table)
        self.explanation = explanation
        for row in try connection.query(TrafficQueries.rows(subject.family, subject.entity, cover)) {
            try add(TrafficQueries.Row(row))
        }
    }

    var totalCell: TrafficCell { buckets.reduce(into: TrafficCell()) { $0.merge($1) } }

    private mutating func add(_ row: TrafficQueries.Row) {
        switch row.place {
        case .day(let day):
            buckets[plan.bucket(of: day)].merge(row.cell)
            if day == plan.tailDay { tailDayViews += row.cell.pageViews }
        case .hour(let hour):
            buckets[plan.bucket(of: hour)].merge(row.cell)
            if tailInstants.contains(hour) { tailDayViews += row.cell.pageViews }
        }
    }
}

extension PeriodPlan {
    /// - Precondition: `day` lies in the range.
    func bucket(of day: Day) -> Int {
        index { $0.days.lowerBound <= day }
    }

    /// - Precondition: `instant` lies in the range.
    func bucket(of instant: Int64) -> Int {
        index { $0.instants.lowerBound <= instant }
    }

    /// The last bucket for which `isReached` holds; it holds for the first ones.
    private func index(_ isReached: (Bucket) -> Bool) -> Int {
        var (low, high) = (0, buckets.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if isReached(buckets[middle]) { low = middle } else { high = middle }
        }
        return low
    }
}

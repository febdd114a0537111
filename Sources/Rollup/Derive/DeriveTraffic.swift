import Core
import Storage

/// Derives days from hours and months from days, for the buckets in the dirty ledger.
enum DeriveTraffic {
    /// Buckets derived in one transaction.
    static let maxBuckets = 2000

    struct Result {
        /// Marks that were taken.
        var taken = 0
        /// What stands in the way of some buckets, whose marks are back.
        var undecodable: [UndecodableRow] = []
        var derived = 0

        /// Whether there may be more to derive.
        var isCut: Bool { taken == maxBuckets && derived > 0 }
    }

    /// Derives up to `maxBuckets` dirty days, and marks their months.
    static func days(calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Result {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            let keys = try DirtyLedger.take(.day, limit: maxBuckets, on: connection)
            var result = Result(taken: keys.count)
            let pruned = try PrunedDays.among(Array(Set(keys.map(\.bucket))), on: connection)
            for family in TrafficFamily.allCases {
                let days = keys.filter { $0.family == family.rawValue }.sorted()
                try derive(
                    family, .day, days, from: .hour, pruned: pruned,
                    ranges: days.map { day in
                        let range = calendar.range(of: day.bucket)
                        return (PostgresTimestamp(ms: range.lowerBound), PostgresTimestamp(ms: range.upperBound))
                    }, calendar: calendar, into: &result, on: connection)
            }
            let money = keys.filter { $0.family == DeriveRevenue.family }.map(\.bucket)
            try DeriveRevenue.days(money, calendar: calendar, on: connection)
            result.derived += money.count
            let months = Set(
                keys.map { DirtyLedger.Key(family: $0.family, entity: $0.entity, bucket: $0.bucket.firstOfMonth) })
            try DirtyLedger.mark(Array(months), .month, on: connection)
            return result
        }
    }

    /// Derives up to `maxBuckets` dirty months none of whose days is dirty.
    static func months(calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Result {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            let keys = try DirtyLedger.take(.month, limit: maxBuckets, on: connection)
            var result = Result(taken: keys.count)
            for family in TrafficFamily.allCases {
                let months = keys.filter { $0.family == family.rawValue }.sorted()
                try derive(
                    family, .month, months, from: .day,
                    ranges: months.map { ($0.bucket, $0.bucket.firstOfNextMonth) }, calendar: calendar, into: &result,
                    on: connection)
            }
            let money = keys.filter { $0.family == DeriveRevenue.family }.map(\.bucket)
            try DeriveRevenue.months(money, on: connection)
            result.derived += money.count
            return result
        }
    }

    private static func derive<Bound: PostgresEncodable>(
        _ family: TrafficFamily, _ grain: Grain, _ keys: [DirtyLedger.Key], from parts: Grain,
        pruned: Set<Day> = [], ranges: [(lower: Bound, upper: Bound)], calendar: ReportingCalendar,
        into result: inout Result,
        on connection: PostgresConnection
    ) throws where [Bound]: PostgresEncodable {
        guard !keys.isEmpty else { return }
        var cells = [TrafficCell](repeating: TrafficCell(), count: keys.count)
        var unknown: Set<Int> = []
        var undecodable: [UndecodableRow] = []
        try connection.stream(
            """
            SELECT k.number, \(unescaped: TrafficTable.columns), t.\(unescaped: parts.column)
            FROM unnest(\(keys.indices.map { Int32($0) }), \(keys.map(\.entity.string)), \(ranges.map(\.lower)),
                \(ranges.map(\.upper))) AS k (number, entity, lower, upper)
            CROSS JOIN LATERAL (
                SELECT * FROM \(unescaped: family.table(parts)) t WHERE t.\(unescaped: family.idColumn) = k.entity
                    AND t.\(unescaped: parts.column) >= k.lower AND t.\(unescaped: parts.column) < k.upper
                -- Key by key, by the index, however large the table has become.
                OFFSET 0) t
            """
        ) { row in
            let number = Int(try row.get(0, as: Int32.self))
            do {
                cells[number].merge(
                    try TrafficTable.cell(row, from: 1) { reason in
                        let entity = keys[number].entity.string
                        return parts == .hour
                            ? .hour(
                                family, entity, try row.get(7, as: PostgresTimestamp.self).ms, calendar, reason: reason)
                            : .bucket(family, parts, entity, try row.get(7), calendar, reason: reason)
                    })
            } catch let row as UndecodableRow {
                unknown.insert(number)
                undecodable.append(row)
            }
        }
        // Of these the parts are what came since they were pruned.
        let additions = keys.indices.filter { pruned.contains(keys[$0].bucket) }
        for (number, stored) in try TrafficTable.days(
            family, additions.map { (keys[$0].entity, keys[$0].bucket) }, calendar: calendar, on: connection)
        {
            switch stored {
            case .success(let cell): cells[additions[number]].merge(cell)
            case .failure(let row):
                unknown.insert(additions[number])
                undecodable.append(row)
            }
        }
        // The other buckets don't wait for it.
        try DirtyLedger.mark(unknown.map { keys[$0] }, grain, on: connection)
        let derived = keys.indices.filter { !unknown.contains($0) }
            .map { (entity: keys[$0].entity, bucket: keys[$0].bucket, cell: cells[$0]) }
        try TrafficTable.write(
            family, grain,
            buckets: derived.filter { !$0.cell.isEmpty }, on: connection)
        try TrafficTable.remove(
            family, grain, buckets: derived.filter { $0.cell.isEmpty }.map { ($0.entity, $0.bucket) }, on: connection)
        let added = additions.filter { !unknown.contains($0) }
        try TrafficTable.remove(
            family, hoursOf: added.map { keys[$0].entity }, from: added.map { ranges[$0].lower },
            to: added.map { ranges[$0].upper }, on: connection)
        result.derived += derived.count
        result.undecodable += undecodable
    }
}

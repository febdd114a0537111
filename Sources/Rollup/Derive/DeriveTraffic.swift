import Core
import Storage

/// Derives days from hours and months from days, for the buckets in the dirty ledger.
enum DeriveTraffic {
    /// Buckets derived in one transaction.
    static let maxBuckets = 2000

    /// Derives up to `maxBuckets` dirty days, and marks their months; returns how many there were.
    static func days(calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Int {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            let keys = try DirtyLedger.take(.day, limit: maxBuckets, on: connection)
            for family in Family.allCases {
                let days = keys.filter { $0.family == family.rawValue }.sorted()
                try derive(
                    family, .daily, days, from: .hourly,
                    ranges: days.map { day in
                        let range = calendar.range(of: day.bucket)
                        return (PostgresTimestamp(ms: range.lowerBound), PostgresTimestamp(ms: range.upperBound))
                    }, on: connection)
            }
            try DeriveRevenue.days(
                keys.filter { $0.family == DeriveRevenue.family }.map(\.bucket), calendar: calendar, on: connection)
            let months = Set(
                keys.map { DirtyLedger.Key(family: $0.family, entity: $0.entity, bucket: $0.bucket.firstOfMonth) })
            try DirtyLedger.mark(Array(months), .month, on: connection)
            return keys.count
        }
    }

    static func months(on connection: PostgresConnection) throws -> Int {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            let keys = try DirtyLedger.take(.month, limit: maxBuckets, on: connection)
            for family in Family.allCases {
                let months = keys.filter { $0.family == family.rawValue }.sorted()
                try derive(
                    family, .monthly, months, from: .daily,
                    ranges: months.map { ($0.bucket, $0.bucket.firstOfNextMonth) }, on: connection)
            }
            try DeriveRevenue.months(
                keys.filter { $0.family == DeriveRevenue.family }.map(\.bucket), on: connection)
            return keys.count
        }
    }

    private static func derive<Bound: PostgresEncodable>(
        _ family: Family, _ grain: Grain, _ keys: [DirtyLedger.Key], from parts: Grain,
        ranges: [(lower: Bound, upper: Bound)], on connection: PostgresConnection
    ) throws where [Bound]: PostgresEncodable {
        guard !keys.isEmpty else { return }
        var cells = [TrafficCell](repeating: TrafficCell(), count: keys.count)
        try connection.stream(
            """
            SELECT k.number, \(unescaped: TrafficTable.columns)
            FROM unnest(\(keys.indices.map { Int32($0) }), \(keys.map(\.entity.string)), \(ranges.map(\.lower)),
                \(ranges.map(\.upper))) AS k (number, entity, lower, upper)
            JOIN \(unescaped: family.table(parts)) t ON t.\(unescaped: family.column) = k.entity
                AND t.\(unescaped: parts.column) >= k.lower AND t.\(unescaped: parts.column) < k.upper
            """
        ) { row in
            cells[Int(try row.get(0, as: Int32.self))].merge(try TrafficTable.cell(row, from: 1))
        }
        let derived = zip(keys, cells).map { (entity: $0.entity, bucket: $0.bucket, cell: $1) }
        try TrafficTable.write(
            family, grain,
            buckets: derived.filter { !$0.cell.isEmpty }, on: connection)
        try TrafficTable.remove(
            family, grain, buckets: derived.filter { $0.cell.isEmpty }.map { ($0.entity, $0.bucket) }, on: connection)
    }
}

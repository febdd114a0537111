import Core
import Storage

extension SQL {
    static func unionAll(_ arms: [SQL]) -> SQL {
        var sql = arms[0]
        for arm in arms.dropFirst() { sql = "\(sql: sql)\nUNION ALL\n\(sql: arm)" }
        return sql
    }

    /// Rows (first, last) of days, both inclusive.
    static func table(_ ranges: [ClosedRange<Day>]) -> SQL {
        "unnest(\(ranges.map(\.lowerBound)), \(ranges.map(\.upperBound))) AS r(first, last)"
    }

    /// Rows (first, next) of instants, half open.
    static func table(_ ranges: [Range<Int64>]) -> SQL {
        """
        unnest(\(ranges.map { PostgresTimestamp(ms: $0.lowerBound) }), \
        \(ranges.map { PostgresTimestamp(ms: $0.upperBound) })) AS r(first, next)
        """
    }

    /// Rows (bucket, first, last) of days, both inclusive.
    static func table(_ ranges: [(bucket: Int32, days: ClosedRange<Day>)]) -> SQL {
        """
        unnest(\(ranges.map(\.bucket)), \(ranges.map(\.days.lowerBound)), \(ranges.map(\.days.upperBound))) \
        AS r(bucket, first, last)
        """
    }

    /// Rows (bucket, first, next) of instants, half open.
    static func table(_ ranges: [(bucket: Int32, instants: Range<Int64>)]) -> SQL {
        """
        unnest(\(ranges.map(\.bucket)), \(ranges.map { PostgresTimestamp(ms: $0.instants.lowerBound) }), \
        \(ranges.map { PostgresTimestamp(ms: $0.instants.upperBound) })) AS r(bucket, first, next)
        """
    }
}

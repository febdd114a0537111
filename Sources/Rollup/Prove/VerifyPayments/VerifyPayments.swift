import Core
import Storage

/// Compares the payments database with the revenue ledger, payment by payment and refund by refund, and what its days
/// add up to with the revenue tables.
///
/// Both databases are read in the order of day and message, a page at a time, each in one snapshot: of payments first.
/// So what payments had and nobody had still to be told of must be in the ledger, and what only the ledger has may be
/// newer: it is looked for in payments again.
package enum VerifyPayments {
    package struct Report: Sendable {
        package var findings: [Verify.Finding] = []
        package var payments = 0
        package var refunds = 0
        /// Messages that the outbox of payments still has, and the ledger hasn't.
        package var onTheWay = 0
        /// Rows of the ledger that the snapshot of payments is too old for.
        package var newer = 0
        /// Rows of the ledger that came from no payments database, as those of a demonstration.
        package var demonstrated = 0
        /// Buckets of revenue not compared because they are waiting to be derived.
        package var dirty = 0

        var hasRoom: Bool { findings.count < Verify.maxFindings }

        mutating func add(_ table: String, _ entity: String, _ bucket: String, _ difference: String) {
            guard hasRoom else { return }
            findings.append(.init(table: table, entity: entity, bucket: bucket, difference: difference))
        }
    }

    /// - Parameters:
    ///   - analytics: the caller's, outside of any transaction.
    ///   - isDemonstration: whether a payment of this id was never in a payments database.
    static func run(
        _ range: ClosedRange<Day>?, payments configuration: PostgresConfiguration, calendar: ReportingCalendar,
        isDemonstration: (String) -> Bool, on analytics: PostgresConnection
    ) throws -> Report {
        let payments = try PostgresConnection(configuration)
        return try payments.withStatementTimeout(.zero) {
            try payments.transaction(isolation: .repeatableRead) { payments in
                try begin(on: payments)
                // Opened, so that its snapshot is the earlier one.
                var paid = try MoneyCursor(MoneyRow.paid(range, calendar), on: payments)
                return try analytics.transaction(isolation: .repeatableRead) { analytics in
                    try begin(on: analytics)
                    var booked = try MoneyCursor(MoneyRow.booked(range, calendar), on: analytics)
                    var comparison = try Comparison(
                        range, calendar: calendar, payments: configuration, on: analytics)
                    try comparison.merge(&paid, &booked, isDemonstration: isDemonstration)
                    return comparison.report
                }
            }
        }
    }

    private static func begin(on connection: PostgresConnection) throws {
        try connection.execute("SET TRANSACTION READ ONLY")
        // One waits while the other is read.
        try connection.execute(Recount.maxIdle)
    }

    private struct Comparison {
        var report = Report()
        private var sums: MoneySums
        private var lookup: MoneyLookup
        private let range: ClosedRange<Day>?

        init(
            _ range: ClosedRange<Day>?, calendar: ReportingCalendar, payments: PostgresConfiguration,
            on analytics: PostgresConnection
        ) throws {
            self.range = range
            sums = try MoneySums(range, calendar: calendar, on: analytics)
            lookup = MoneyLookup(payments: payments, analytics: analytics, calendar: calendar)
        }

        mutating func merge(
            _ paid: inout MoneyCursor, _ booked: inout MoneyCursor, isDemonstration: (String) -> Bool
        ) throws {
            var ours = try paid.next()
            var ledgers = try booked.next()
            while let key = [ours?.key, ledgers?.key].compactMap({ $0 }).min() {
                try sums.enter(key.day, &report)
                if let row = ours, row.key == key {
                    count(row)
                    if let entry = ledgers, entry.key == key {
                        compare(row, entry)
                        sums.add(row)
                        ledgers = try booked.next()
                    } else {
                        try missing(row)
                    }
                    ours = try paid.next()
                } else if let entry = ledgers {
                    try surplus(entry, isDemonstration: isDemonstration)
                    ledgers = try booked.next()
                }
            }
            try sums.finish(&report)
        }

        private mutating func count(_ row: MoneyRow) {
            if row.isRefund { report.refunds += 1 } else { report.payments += 1 }
        }

        private mutating func compare(_ row: MoneyRow, _ entry: MoneyRow) {
            let differences = entry.differences(from: row)
            guard !differences.isEmpty else { return }
            report.add("revenue_ledger", row.key.id.string, label(row), differences.joined(separator: "; "))
        }

        /// The ledger hasn't got it on its day.
        private mutating func missing(_ row: MoneyRow) throws {
            if let entry = try lookup.ledger(row.key.id.string) {
                // On another day, where it is met as well: there it is no surplus.
                report.add(
                    "revenue_ledger", row.key.id.string, label(row),
                    entry.differences(from: row).joined(separator: "; "))
                sums.add(row)
            } else if row.isOnTheWay {
                report.onTheWay += 1
            } else {
                report.add(
                    "revenue_ledger", row.key.id.string, label(row), "missing: payments has \(row.moneyText)")
                sums.add(row)
            }
        }

        /// Payments hadn't got it on its day.
        private mutating func surplus(_ entry: MoneyRow, isDemonstration: (String) -> Bool) throws {
            if isDemonstration(entry.paymentId) {
                report.demonstrated += 1
                sums.add(entry)
                return
            }
            guard let row = try lookup.payments(entry.key.id.string) else {
                report.add(
                    entry.isRefund ? "refunds" : "payments", entry.key.id.string, label(entry),
                    "missing: the ledger has \(entry.moneyText)")
                return
            }
            guard row.key == entry.key else {
                // It is named on the day where it belongs, where that is looked at.
                if range?.contains(row.key.day) == false { compare(row, entry) }
                return
            }
            report.newer += 1
            compare(row, entry)
            sums.add(row)
        }

        private func label(_ row: MoneyRow) -> String { Instant.iso8601(row.occurredAt) }
    }
}

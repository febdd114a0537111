import Core
import Storage

/// Finds single rows where the two databases don't agree on a day.
struct MoneyLookup {
    let configuration: PostgresConfiguration
    let analytics: PostgresConnection
    let calendar: ReportingCalendar
    /// One of its own, which sees what has come since: made when it is first needed.
    private var now: PostgresConnection?

    init(payments: PostgresConfiguration, analytics: PostgresConnection, calendar: ReportingCalendar) {
        configuration = payments
        self.analytics = analytics
        self.calendar = calendar
    }

    func ledger(_ message: String) throws -> MoneyRow? {
        try analytics.query(MoneyRow.booked(message: message, calendar)).first.map(MoneyRow.init)
    }

    /// As it is at this moment.
    mutating func payments(_ message: String) throws -> MoneyRow? {
        guard let statement = MoneyRow.paid(message: message, calendar) else { return nil }
        let connection = try now ?? PostgresConnection(configuration)
        now = connection
        return try connection.query(statement).first.map(MoneyRow.init)
    }
}

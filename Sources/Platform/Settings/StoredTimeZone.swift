import Core
package import Storage

/// The zone whose days the rollups of an analytics database have: what was counted in days of one zone can't go on in
/// those of another.
package struct StoredTimeZone: Sendable {
    private let identifier: String
    /// As it was given; an identifier may be another name of the same zone.
    private let given: String

    /// - Throws: `SettingsError`
    package init(_ settings: Settings) throws {
        identifier = try settings.reportingCalendar().identifier
        given = try settings.string("REPORTING_TIME_ZONE") ?? identifier
    }

    /// Writes the zone of the settings down where none is yet, and compares.
    ///
    /// - Returns: false where the database is not migrated so far; then there is nothing to compare with.
    /// - Throws: `SettingsError` where the days are another zone's.
    package func claim(on connection: PostgresConnection) throws -> Bool {
        guard try Self.isKept(on: connection) else { return false }
        try connection.execute(
            "INSERT INTO reporting_time_zone (identifier) VALUES (\(identifier)) ON CONFLICT DO NOTHING")
        return try check(on: connection)
    }

    /// Compares without writing, for those who only read.
    ///
    /// - Returns: false where nobody has written down whose days they are.
    @discardableResult
    package func check(on connection: PostgresConnection) throws -> Bool {
        guard try Self.isKept(on: connection) else { return false }
        guard let row = try connection.query("SELECT identifier FROM reporting_time_zone").first else { return false }
        let stored = try row.get(0, as: String.self)
        guard stored == identifier else {
            throw SettingsError(
                "REPORTING_TIME_ZONE",
                "is \(given), but what this database has counted is in days of \(stored): set it to \(stored)")
        }
        return true
    }

    private static func isKept(on connection: PostgresConnection) throws -> Bool {
        try connection.query("SELECT to_regclass('reporting_time_zone') IS NOT NULL")[0].get(0)
    }
}

package import Platform
import Storage

extension Rollup {
    /// Writes down whose days these are where nobody has yet, and compares.
    ///
    /// - Returns: false where the database is not migrated so far.
    /// - Throws: `SettingsError` where they are another zone's, or what the database throws.
    package func claim(_ zone: StoredTimeZone) async throws -> Bool {
        try await postgres.withConnection { try zone.claim(on: $0) }
    }
}

package import Platform
import Storage

extension QueryEngine {
    /// Whether the database's days can be told to be those of the settings.
    ///
    /// - Throws: `SettingsError` where they are another zone's, or what the database throws.
    @discardableResult
    package func check(_ zone: StoredTimeZone) async throws -> Bool {
        try await answers.withConnection { try zone.check(on: $0) }
    }
}

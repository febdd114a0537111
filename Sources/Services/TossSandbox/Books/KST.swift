import Core

/// Toss's instants are those of Seoul, without daylight saving: UTC+9.
enum KST {
    static let offsetMs: Int64 = 9 * 3_600_000

    /// `2022-01-01T12:30:00.000+09:00`
    static func text(_ instant: Int64) -> String {
        "\(Instant.iso8601(instant + offsetMs).dropLast())+09:00"
    }

    /// Of an ISO 8601 date-time without an offset, which means Seoul's.
    static func parse(_ text: String) -> Int64? {
        Instant.parse(text + "+09:00")
    }
}

import Core
import Foundation
import TestSupport
import Testing

@Suite struct InstantTests {
    static let instant: Int64 = 1_764_930_600_000

    @Test(arguments: [
        "2025-12-05T10:30:00.000Z", "2025-12-05T10:30:00Z", "2025-12-05T10:30Z", "2025-12-05t10:30:00z",
        "2025-12-05 10:30:00Z", "2025-12-05T19:30:00+09:00", "2025-12-05T19:30:00+0900", "2025-12-05T19:30:00+09",
        "2025-12-05T19:30+09:00", "2025-12-05T05:30:00-05:00", "2025-12-05T16:15:00+05:45", "2025-12-05T00:00-10:30",
        "2025-12-05T10:30:00+00:00", "2025-12-05T10:30:00-00:00", "2025-12-06T04:30:00+18:00",
        "2025-12-04T16:30:00-18", "2025-12-05T10:30:00.0Z", "2025-12-05T10:30:00,000Z",
        "2025-12-05T10:30:00.000999999999999999999999999Z",
    ])
    func formsOfOneInstant(text: String) {
        #expect(Instant.parse(text) == Self.instant)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1), ("1970-01-01T00:00:00.001Z", 1),
        ("2025-12-05T10:30:59.9Z", 1_764_930_659_900), ("2025-12-05T10:30:59.99Z", 1_764_930_659_990),
        ("2025-12-05T10:30:59.9999Z", 1_764_930_659_999), ("2024-02-29T23:59:59Z", 1_709_251_199_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("0001-01-01T00:00:00+18:59", -62_135_665_140_000), ("9999-12-31T23:59:59-18:59", 253_402_369_139_000),
    ])
    func instantsOfTexts(text: String, instant: Int64) {
        #expect(Instant.parse(text) == instant)
    }

    @Test(arguments: [
        "", "2025", "2025-12-05", "2025-12-05T", "2025-12-05T10", "2025-12-05T10Z", "2025-12-05T10:30",
        "2025-12-05T10:30:00", "2025-12-05T10:30:00.Z", "2025-12-05T10:30:Z", "2025-12-05T1:30:00Z",
        "2025-12-05T24:00:00Z", "2025-12-05T10:60:00Z", "2025-12-05T10:30:60Z", "2025-12-05T10:30:00+19:00",
        "2025-12-05T10:30:00+09:60", "2025-12-05T10:30:00+9", "2025-12-05T10:30:00+09:", "2025-12-05T10:30:00+09:0",
        "2025-12-05T10:30:00+09:000", "2025-12-05T10:30:00+09:00Z", "2025-12-05T10:30:00Z ", " 2025-12-05T10:30:00Z",
        "2025-12-05T10:30:00 Z", "2025-12-05T10:30:00ZZ", "2025-12-05_10:30:00Z", "2025-02-29T00:00:00Z",
        "2025-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
        "20251205T103000Z", "2025-12-05T10.5Z", "2025-12-05T10:30.5Z", "1764930600000", "2025-12-05T10:30:00\u{0}Z",
        "2025-12-05T10:30:00\u{2212}05:00", "2025-W49-5T10:30:00Z",
    ])
    func whatIsNoInstant(text: String) {
        #expect(Instant.parse(text) == nil)
    }

    @Test func textsOfInstants() {
        #expect(Instant.iso8601(Self.instant) == "2025-12-05T10:30:00.000Z")
        #expect(Instant.iso8601(0) == "1970-01-01T00:00:00.000Z")
        #expect(Instant.iso8601(-1) == "1969-12-31T23:59:59.999Z")
        #expect(Instant.iso8601(-86_400_000) == "1969-12-31T00:00:00.000Z")
        #expect(Instant.iso8601(-62_135_596_800_000) == "0001-01-01T00:00:00.000Z")
        #expect(Instant.iso8601(253_402_300_799_999) == "9999-12-31T23:59:59.999Z")
    }

    /// Foundation says the same of any instant of the years 1600 to 2400, and it comes back.
    @Test func textsAreThoseOfFoundation() throws {
        var random = SeededGenerator()
        print(random)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let range = Instant.parse("1600-01-01T00:00:00Z")!..<Instant.parse("2401-01-01T00:00:00Z")!
        for _ in 0..<20_000 {
            // Eighths of a second: what a Double holds as it is.
            let instant = Int64.random(in: range, using: &random) / 125 * 125
            let text = Instant.iso8601(instant)
            try #require(text == Date(timeIntervalSince1970: Double(instant) / 1000).formatted(style))
            try #require(Instant.parse(text) == instant)
        }
    }

    @Test func floorsTowardsThePast() {
        #expect([-8, -7, -1, 0, 1, 6, 7].map { floorDiv($0, 7) } == [-2, -1, -1, 0, 0, 0, 1])
        #expect(floorDiv(.min, 86_400_000) == -106_751_991_168 && floorDiv(.max, 1) == .max)
    }
}

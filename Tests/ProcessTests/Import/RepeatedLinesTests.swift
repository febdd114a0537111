import Testing

@testable import tiketi

@Suite struct RepeatedLinesTests {
    @Test func identicalLinesAreNumbered() {
        var lines = RepeatedLines()
        let numbers = [("a", 0), ("b", 0), ("a", 0), ("a", 90_000), ("a", 0)].map { text, time in
            Self.occurrence(&lines, text, Int64(time))
        }
        // A line of another minute is another line in truth: its time is part of its text.
        #expect(numbers == [1, 1, 2, 1, 3])
    }

    @Test func oldestMinuteIsForgottenBeyondTheBound() {
        var lines = RepeatedLines(maxRemembered: 3)
        for (text, minute) in [("a", 1), ("b", 1), ("c", 2)] {
            #expect(Self.occurrence(&lines, text, Int64(minute) * 60_000) == 1)
        }
        #expect(Self.occurrence(&lines, "d", 3 * 60_000) == 1)
        // Minute 1 is gone, minute 2 is not.
        #expect(Self.occurrence(&lines, "c", 2 * 60_000) == 2)
        #expect(Self.occurrence(&lines, "a", 60_000) == 1)
    }

    private static func occurrence(_ lines: inout RepeatedLines, _ text: String, _ time: Int64) -> UInt32 {
        Array(text.utf8).withUnsafeBytes { lines.occurrence(of: $0, at: time) }
    }
}

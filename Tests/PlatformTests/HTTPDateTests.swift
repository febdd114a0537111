import Platform
import Testing

@Suite struct HTTPDateTests {
    @Test(arguments: [
        (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400_999, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_772_323_199_001, "Sat, 28 Feb 2026 23:59:59 GMT"),
    ])
    func datesAreAsInRFC9110(_ instant: Int64, _ text: String) {
        var date = HTTPDate()
        #expect(date.text(at: instant) == text)
        #expect(date.text(at: instant + 1000) != text)
        #expect(date.text(at: instant) == text)
    }
}

import Testing

@testable import tiketi

@Suite struct SpanOptionTests {
    @Test(
        arguments: [
            ("90", .seconds(90)), ("90s", .seconds(90)), ("1.5m", .seconds(90)), ("2h", .seconds(7200)),
            ("366d", .seconds(366 * 86_400)),
        ] as [(String, Duration)])
    func spanIsRead(text: String, expected: Duration) {
        #expect(SpanOption(argument: text)?.duration == expected)
    }

    @Test(arguments: ["", "s", "0", "-1s", "1x", "1 h", "nan", "inf", "367d", "1e99h"])
    func anythingElseIsRefused(text: String) {
        #expect(SpanOption(argument: text) == nil)
    }
}

import Testing

@testable import tiketi

@Suite struct AccessLogTimeTests {
    @Test(
        arguments: [
            ("01/Jan/1970:00:00:00 +0000", 0),
            ("17/May/2015:10:05:03 +0000", 1_431_857_103_000),
            ("17/May/2015:19:05:03 +0900", 1_431_857_103_000),
            ("17/May/2015:04:35:03 -0530", 1_431_857_103_000),
            ("31/Dec/1969:23:59:59 +0000", -1000),
            ("29/Feb/2024:00:00:00 +0000", 1_709_164_800_000),
            ("31/Dec/2016:23:59:60 +0000", 1_483_228_800_000),
        ] as [(String, Int64)])
    func timeIsRead(text: String, expected: Int64) {
        #expect(Self.parse(text) == expected)
    }

    @Test(arguments: [
        "29/Feb/2023:00:00:00 +0000", "1/May/2015:10:05:03 +0000", "17/may/2015:10:05:03 +0000",
        "17/May/2015:10:60:03 +0000", "17/May/2015:10:05:61 +0000", "17/May/2015:10:05:03 +2500",
        "17/May/2015:10:05:03 00000", "17/May/2015 10:05:03 +0000", "17-May-2015:10:05:03 +0000",
        "17/May/2015:10:05:03 +00:0", "",
    ])
    func anythingElseIsNone(text: String) {
        #expect(Self.parse(text) == nil)
    }

    private static func parse(_ text: String) -> Int64? {
        Array(text.utf8).withUnsafeBytes { AccessLogTime.parse($0) }
    }
}

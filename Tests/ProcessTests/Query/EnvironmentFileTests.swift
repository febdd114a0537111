import Testing

@testable import tiketi

@Suite struct EnvironmentFileTests {
    @Test func linesAreNamesAndValues() {
        #expect(
            EnvironmentFile.parse("# comment\nA=1\r\n\nB=x=y \nno equals sign\nC=\n")
                == ["A": "1", "B": "x=y ", "C": ""])
    }

    @Test func theEnvironmentGoesBeforeTheFile() {
        let file = ["A": "file", "B": "file", "C": "file", "D_FILE": "file", "E": "file"]
        let environment = ["A": "own", "B_FILE": "own", "C": "", "D": "own", "OTHER": "own"]
        #expect(
            EnvironmentFile.merge(environment, file) == [
                "A": "own", "B_FILE": "own", "C": "file", "D": "own", "E": "file", "OTHER": "own",
            ])
    }

    @Test(
        arguments: [
            ("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("366d", 31_622_400), ("367d", nil),
            ("0h", nil),
            ("-1h", nil), ("12", nil), ("h", nil), ("", nil), ("1w", nil), ("99999999999999999999d", nil),
        ] as [(String, Int64?)])
    func lifetimesHaveAUnitAndABound(_ text: String, _ seconds: Int64?) {
        #expect(TokenCommand.Lifetime(argument: text)?.seconds == seconds)
    }
}

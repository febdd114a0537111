import Testing

@testable import Query

@Suite struct ChartTextTests {
    private func sheet(_ values: [(String, Int64?)]) -> Sheet {
        Sheet(
            title: "a title", columns: [.text("date", "date"), .number("pageViews", "page views")],
            rows: values.map { [.text($0.0), .count($0.1)] }, notes: ["as of now"])
    }

    @Test func barsAreAsLongAsTheirValues() {
        let text = ChartText.render(
            sheet([("2025-12-01", 1000), ("2025-12-02", 500), ("12-03", 1), ("콘서트", 0), ("none", nil)]), .bar, width: 40
        )
        // 40 less 10 for labels, 5 for numbers and 4 between leaves 21.
        #expect(
            text == """
                a title: page views

                2025-12-01  1,000  █████████████████████
                2025-12-02    500  ██████████▌
                12-03           1  ▏
                콘서트          0
                none            -

                as of now

                """)
    }

    @Test func sparklinesRiseAndFall() {
        let text = ChartText.render(sheet([("a", 0), ("b", 7), ("c", 14), ("d", 3)]), .sparkline, width: 40)
        let width = 40 / 2 / 4 / 2
        #expect(
            text.contains(
                "a " + ["▁", "▄", "█", "▂"].map { String(repeating: $0, count: width) }.joined()
                    + " d  most 14 (c), least 0 (a)"))
    }

    @Test func aLineReachesFromTheLeastToTheMost() {
        let text = ChartText.render(sheet([("a", 0), ("b", 80)]), .line, width: 40)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[2].hasPrefix("80 │ "))
        #expect(lines[2].hasSuffix("█"))
        #expect(lines[2 + ChartText.lineRows - 1].hasPrefix(" 0 │▁"))
        #expect(lines[2 + ChartText.lineRows].hasPrefix("   └──"))
        #expect(lines[2 + ChartText.lineRows + 1].hasPrefix("    a"))
    }

    /// More values than columns are joined, and none of them makes a line wider.
    @Test(arguments: ChartText.Kind.allCases)
    func chartsFitTheTerminal(_ kind: ChartText.Kind) {
        let sheet = sheet((0..<1100).map { ("2025-12-01T\($0)", Int64($0 % 37) * 1_000_000) })
        for width in [20, 80, 150, 500] {
            let bounded = min(max(width, ChartText.columns.lowerBound), ChartText.columns.upperBound)
            let chart = ChartText.render(sheet, kind, width: width).split(separator: "\n")
            // A sparkline's ends and extremes stand beside it.
            let room = kind == .sparkline ? bounded + 100 : bounded
            for line in chart { #expect(DisplayWidth.of(String(line)) <= room, "\(line)") }
        }
    }

    @Test(arguments: ChartText.Kind.allCases)
    func losesAndExtremesAreDrawn(_ kind: ChartText.Kind) {
        for values in [[Int64](), [0], [0, 0], [-5, 10], [-5, -10], [.max, 0], [1]] {
            let text = ChartText.render(sheet(values.map { ("x", $0) }), kind)
            #expect(text.hasPrefix("a title: page views\n"))
            #expect(values.isEmpty == text.contains("(none)"))
        }
    }

    @Test func nothingFromTheWebMovesTheCursor() {
        for kind in ChartText.Kind.allCases {
            #expect(!ChartText.render(sheet([("a\u{1B}[2J", 5)]), kind).contains("\u{1B}"))
        }
    }

    @Test func namesAndNotRanksAreDrawn() {
        let sheet = Sheet(
            title: "top",
            columns: [
                .number("rank", "#"), .text("id", "artist"), .text("name", "name"), .number("revenue", "revenue"),
            ],
            rows: [
                [.count(1), .text("iu"), .text("아이유"), .money(990, currency: "KRW")],
                [.count(2), .text("bts"), .text(nil), .money(99, currency: "KRW")],
            ])
        let text = ChartText.render(sheet, .bar)
        #expect(text.contains("아이유  990  █"))
        #expect(text.contains("bts      99  █"))
    }
}

import Core
import Platform
import Testing

@testable import Query

@Suite struct FormatTests {
    @Test func jsonKeepsOrderAndEscapes() {
        var json = JSONWriter()
        json.object { json in
            json.member("z", 1 as Int64)
            json.member("a", "say \"hi\" \\ \n\t\r\u{1} 아이유")
            json.member("none", nil as String?)
            json.member("list", array: [1, 2] as [Int64]) { $0.value($1) }
            json.member("empty", array: [] as [Int64]) { $0.value($1) }
            json.member("inner") { $0.member("yes", true) }
            json.member("tenths", tenths: -5)
            json.member("nothing", tenths: nil)
        }
        #expect(
            json.text == #"{"z":1,"a":"say \"hi\" \\ \n\t\r\u0001 아이유","none":null,"list":[1,2],"empty":[],"#
                + #""inner":{"yes":true},"tenths":-0.5,"nothing":null}"#)
    }

    @Test(
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"),
            (Int64.min, "-9,223,372,036,854,775,808"),
        ] as [(Int64, String)])
    func thousandsAreSeparated(_ value: Int64, _ text: String) {
        #expect(NumberText.grouped(value) == text)
    }

    @Test(
        arguments: [
            (1_234_567, "KRW", "1,234,567"), (1_234_567, "USD", "12,345.67"), (-5, "USD", "-0.05"),
            (1_234_567, "KWD", "1,234.567"), (0, "JPY", "0"),
        ] as [(Int64, String, String)])
    func moneyIsWrittenAsItsCurrencyIs(_ minor: Int64, _ currency: String, _ text: String) {
        #expect(NumberText.money(minor, currency) == text)
    }

    @Test(arguments: [(0, "0s"), (59, "59s"), (65, "1m 05s"), (7205, "2h 00m 05s")] as [(Int64, String)])
    func durationsAreShort(_ seconds: Int64, _ text: String) {
        #expect(NumberText.duration(seconds: seconds) == text)
    }

    @Test(arguments: [
        ("abc", 3), ("아이유", 6), ("e\u{301}", 1), ("漢字かな", 8), ("🎤", 2), ("\u{1112}\u{1161}\u{11ab}", 2), ("é", 1),
        ("\u{200b}", 0), ("ＡＢ", 4), ("❤️", 2), ("❤", 1), ("🇰🇷", 2), ("🇰", 2), ("1️⃣", 2), ("⌚⌛", 4), ("⏩⏰⏭", 6), ("⭐⭕", 4),
        ("☔☕", 4), ("☂", 1), ("👩‍🎤", 2),
    ])
    func koreanTextTakesTwoColumns(_ text: String, _ width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }

    static let sheet = Sheet(
        title: "a title",
        columns: [.text("name", "name"), .number("pageViews", "page views"), .number("revenue", "revenue")],
        rows: [
            [.text("아이유"), .count(1_234_567), .money(99000, currency: "KRW")],
            [.text("say \"x\", y"), .count(7), .money(nil, currency: "KRW")],
            [.text(nil), .count(nil), .money(-1, currency: "KRW")],
        ],
        footer: [.text("total"), .count(1_234_574), .money(98999, currency: "KRW")],
        notes: ["a note"])

    @Test func tablesAlignByDisplayWidth() {
        #expect(
            TableText.render(Self.sheet) == """
                a title

                name        page views  revenue
                ──────────  ──────────  ───────
                아이유       1,234,567   99,000
                say "x", y           7        -
                -                    -       -1
                ──────────  ──────────  ───────
                total        1,234,574   98,999

                a note

                """)
    }

    @Test func changesAreColouredAndTheTableStaysAsItIs() {
        let (bold, green, red, plain) = ("\u{1b}[1m", "\u{1b}[32m", "\u{1b}[31m", "\u{1b}[0m")
        let sheet = Sheet(
            title: "a title", columns: [.text("name", "name"), .number("change", "change")],
            rows: [
                [.text("up"), .change(125)], [.text("down"), .change(-5)], [.text("same"), .change(0)],
                [.text("아이유"), .change(nil)],
            ],
            notes: [
                "before: views 7 (+5.0 %), visitors 8 (-1.5 %), sessions 9 (0.0 %)", "average 5 a day, growth 2.0 %",
            ])
        let styled = TableText.render(sheet, isStyled: true)
        #expect(
            styled == """
                a title

                \(bold)name     change\(plain)
                ──────  ───────
                up      \(green)+12.5 %\(plain)
                down     \(red)-0.5 %\(plain)
                same      0.0 %
                아이유        -

                before: views 7 (\(green)+5.0 %\(plain)), visitors 8 (\(red)-1.5 %\(plain)), sessions 9 (0.0 %)
                average 5 a day, growth \(green)2.0 %\(plain)

                """)
        #expect(styled.replacing(/\u{1b}\[[0-9]+m/, with: "") == TableText.render(sheet))
    }

    @Test func emptyTablesSaySo() {
        var sheet = Self.sheet
        sheet.rows = []
        sheet.footer = nil
        sheet.notes = []
        #expect(
            TableText.render(sheet) == """
                a title

                name  page views  revenue
                ────  ──────────  ───────
                (none)

                """)
    }

    @Test func textsCannotSteerTheTerminal() {
        var sheet = Self.sheet
        sheet.rows = [[.text("\u{1b}[2Jgone\u{9b}1m\u{202e}"), .count(1), .money(1, currency: "KRW")]]
        let text = TableText.render(sheet)
        #expect(!text.unicodeScalars.contains { $0.value == 0x1b || $0.value == 0x9b || $0.value == 0x202e })
        #expect(text.contains("\u{FFFD}[2Jgone\u{FFFD}1m\u{FFFD}"))
    }

    @Test func csvHoldsNoFormulas() {
        #expect(
            ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"].map(CSVText.inert)
                == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'\nx", "'＝1", "'＋1", "'－1", "'＠x"])
        for text in ["1=1", "", "'=1", "아이유", "ｘ"] { #expect(CSVText.inert(text) == text) }
        let sheet = Sheet(
            title: "", columns: [.text("id", "id"), .number("n", "n")], rows: [[.text("=HYPERLINK(0)"), .count(-5)]],
            notes: [])
        #expect(CSVText.render(sheet) == "id,n\r\n'=HYPERLINK(0),-5\r\n")
    }

    @Test func csvQuotesWhereNeeded() {
        #expect(
            CSVText.render(Self.sheet)
                == "name,pageViews,revenue\r\n아이유,1234567,99000\r\n\"say \"\"x\"\", y\",7,\r\n,,-1\r\n")
        #expect(CSVText.line(["a\nb", nil, "c\rd"]) == "\"a\nb\",,\"c\rd\"\r\n")
        #expect(Array(CSVText.line(["\"\u{301}"]).utf8) == Array("\"\"\"\u{301}\"\r\n".utf8))
    }

    @Test func ndjsonHasOneObjectARow() {
        #expect(
            NDJSONText.render(Self.sheet) == """
                {"name":"아이유","pageViews":1234567,"revenue":99000}
                {"name":"say \\"x\\", y","pageViews":7,"revenue":null}
                {"name":null,"pageViews":null,"revenue":-1}

                """)
    }

    @Test(
        arguments: [
            (0, 0, 0), (5, 0, 0), (1, 2, 1), (-1, 2, 0), (3, 2, 2), (7, 3, 2), (8, 3, 3), (-7, 2, -3), (10, 4, 3),
            (Int64.max, 1, Int64.max),
        ] as [(Int64, Int64, Int64)])
    func quotientsRoundHalfUp(_ dividend: Int64, _ divisor: Int64, _ quotient: Int64) {
        #expect(Rounded.quotient(dividend, divisor) == quotient)
    }

    @Test(
        arguments: [
            (0, 5, nil), (100, 150, 500), (100, 50, -500), (3, 4, 333), (3, 2, -333), (2000, 2001, 1), (2000, 1999, -1),
            (-100, 50, 1500), (-100, -150, -500), (100, 0, -1000), (Int64.max, Int64.max, 0),
        ] as [(Int64, Int64, Int64?)])
    func changeIsInTenthsOfAPercent(_ before: Int64, _ now: Int64, _ change: Int64?) {
        #expect(Rounded.change(from: before, to: now) == change)
    }
}

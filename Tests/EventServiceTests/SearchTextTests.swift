import TestSupport
import Testing

@testable import EventService

@Suite struct SearchTextTests {
    private func runs(_ text: String) -> [String] { SearchText(text).runs.map(\.text) }

    @Test func scriptsAndBlanksPartRuns() {
        #expect(runs("BTS콘서트 2026, in Seoul!") == ["bts", "콘서트", "2026", "in", "seoul"])
        #expect(runs("  ·!? ").isEmpty)
        #expect(SearchText("").normalized == "")
    }

    @Test func decomposedHangulAndFullWidthLettersAreTheSame() {
        #expect(runs("\u{110b}\u{1161}\u{110b}\u{1175}\u{110b}\u{1172}") == ["아이유"])
        #expect(runs("ＩＵ") == ["iu"])
        #expect(runs("Beyonce\u{301}") == ["beyoncé"])
    }

    @Test func termsAreBigramsAndWholeWords() {
        #expect(Set(SearchText("콘서트에서 IU").terms) == ["^콘", "콘서", "서트", "트에", "에서", "iu"])
        #expect(SearchText("비").terms == ["^비"])
    }

    /// Whatever part of a run is asked for, the index has its terms: it leaves out nothing that the text has.
    @Test func termsOfEveryPatternThatATextHasAreAmongItsTerms() {
        var random = SeededGenerator()
        print(random)
        let letters = Array("가나다라비 abc12 é·漢カ")
        for _ in 0..<2000 {
            func some(_ count: ClosedRange<Int>) -> String {
                String(
                    (0..<Int.random(in: count, using: &random)).map { _ in letters.randomElement(using: &random)! })
            }
            let text = some(0...12)
            let query = some(1...4)
            let stored = SearchText(text)
            for run in SearchText(query).runs where stored.normalized.contains(run.pattern) {
                #expect(Set(run.queryTerms).isSubset(of: stored.terms), "\(text) / \(query)")
            }
        }
    }

    @Test func keywordsReplaceTheLongestName() {
        let keywords = Keywords([
            KeywordPair(korean: "아이유", english: "IU"), KeywordPair(korean: "레드벨벳", english: "Red Velvet"),
            KeywordPair(korean: "레드", english: "Red"),
        ])
        let query = SearchQuery("iu 콘서트", keywords: keywords)
        #expect(query.tsquery() == "(('iu') | ('아이' & '이유')) & (('서트' & '콘서'))")
        #expect(query.tsquery(common: 10) { ["콘서": 50, "서트": 60, "아이": 20][$0] } == "(('iu') | ('이유'))")
        #expect(query.tsquery(common: 10) { _ in 50 } == "(('iu') | ('아이')) & (('서트'))")
        #expect(SearchQuery("red velvet", keywords: keywords).groups.map { $0.count } == [2])
        #expect(SearchQuery("아이유", keywords: keywords).groups[0].map { $0.map(\.text) } == [["아이유"], ["iu"]])
        #expect(SearchQuery("!?", keywords: keywords).isEmpty)
    }
}

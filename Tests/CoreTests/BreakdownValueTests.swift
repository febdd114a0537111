import Core
import TestSupport
import Testing

@Suite struct BreakdownValueTests {
    @Test func aLongTextCountsAsItsBeginning() {
        let longest = String(repeating: "a", count: BreakdownValue.maxBytes)
        #expect(BreakdownValue.of(longest) == longest)
        #expect(BreakdownValue.of(longest + "a") == longest)
        #expect(BreakdownValue.of("/") == "/")
        #expect(BreakdownValue.of("") == "")
        #expect(BreakdownValue.of("/a\0b") == "/a\u{fffd}b")
        #expect(BreakdownValue.of(String(longest.dropLast(2)) + "\0") == String(longest.dropLast(2)))
    }

    /// Never within a code point, and never shorter than it must be.
    @Test func cutsWholeCodePoints() {
        var random = SeededGenerator()
        print("\(random)")
        for _ in 0..<200 {
            let text = String(
                (0..<Int.random(in: 0...1200, using: &random)).map { _ in
                    ["a", "é", "한", "\u{1f3a4}", "\u{301}"].randomElement(using: &random)!
                }.joined())
            let kept = BreakdownValue.of(text)
            #expect(text.utf8.starts(with: kept.utf8))
            #expect(Array(kept.utf8).withUnsafeBytes(BreakdownValue.isKept))
            #expect(BreakdownValue.of(kept).utf8.elementsEqual(kept.utf8))
            let rest = text.unicodeScalars.dropFirst(kept.unicodeScalars.count)
            if let next = rest.first { #expect(kept.utf8.count + UTF8.width(next) > BreakdownValue.maxBytes) }
        }
    }
}

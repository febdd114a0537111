import Core
import Testing

/// Text that is equal byte for byte, and in no other way.
@Suite struct ExactTextTests {
    @Test(arguments: [
        ("caf\u{e9}", "cafe\u{301}"), ("\u{c544}\u{c774}\u{c720}", "\u{110b}\u{1161}\u{110b}\u{1175}\u{110b}\u{1172}"),
        ("K", "\u{212a}"),
    ])
    func textsOfTheSameCharactersInOtherBytesAreTwo(one: String, other: String) {
        #expect(one == other, "as Swift sees it")
        #expect(ExactText(one) != ExactText(other))
        #expect(Set([ExactText(one), ExactText(other), ExactText(one)]).count == 2)
        #expect((ExactText(one) < ExactText(other)) != (ExactText(other) < ExactText(one)))
    }

    @Test func theyAreSortedByTheirBytes() {
        let texts: [ExactText] = ["", "a", "e\u{301}", "z", "\u{e9}", "\u{1100}", "\u{ac00}", "\u{1f3ab}"]
        #expect(texts.shuffled().sorted() == texts)
    }
}

import Testing

@testable import tiketi

@Suite struct IdPatternTests {
    static let sample = #"^/(presentations|blog|projects|articles)/([^/?]+)"#

    @Test(
        arguments: [
            (sample, "/blog/tags/puppet", "tags"),
            (sample, "/articles/x?page=2", "x"),
            // As it stands in the path: nothing is decoded.
            (sample, "/blog/%ED%95%9C", "%ED%95%9C"),
            (sample, "/blog/", nil),
            (sample, "/blog?x/y", nil),
            (sample, "/a/blog/x", nil),
            ("/event/([0-9]+)", "/shop/event/42/seats", "42"),
            // The last group took no part, or took nothing.
            ("^/a/(x)|^/b/([0-9]*)", "/a/x", nil),
            ("^/a/(x)|^/b/([0-9]*)", "/b/", nil),
        ] as [(String, String, String?)])
    func lastGroupIsTheId(pattern: String, path: String, expected: String?) throws {
        var pattern = try IdPattern(pattern)
        #expect(pattern.id(in: path) == expected)
        #expect(pattern.id(in: path) == expected, "the second answer is a remembered one")
    }

    /// The remembered answer is the path's own, not that of one that reads alike.
    @Test func pathsInOtherBytesHaveOtherIds() throws {
        var pattern = try IdPattern("^/blog/(.+)")
        for id in ["caf\u{e9}", "cafe\u{301}"] {
            #expect(pattern.id(in: "/blog/" + id).map { Array($0.utf8) } == Array(id.utf8))
        }
    }

    @Test func brokenPatternIsNamed() {
        let error = #expect(throws: IdPattern.Invalid.self) { _ = try IdPattern("^/(blog") }
        #expect("\(error!)".hasPrefix("'^/(blog' is no regular expression: "))
        #expect(!"\(error!)".contains("\n"))
    }

    @Test(arguments: ["^/blog/", "^/(?:blog|articles)/[^/]+", ""])
    func patternWithoutGroupIsRefused(pattern: String) {
        #expect(throws: IdPattern.Invalid.noGroup(pattern: pattern)) { _ = try IdPattern(pattern) }
    }

    @Test func answersAreForgottenWhenTheyAreTooMany() throws {
        var pattern = try IdPattern("^/(.+)")
        for number in 0...(IdPattern.maxRemembered + 1) {
            #expect(pattern.id(in: "/\(number)") == "\(number)")
        }
        #expect(pattern.rememberedCount == 2)
    }
}

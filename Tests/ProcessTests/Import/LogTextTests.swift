import Testing

@testable import tiketi

@Suite struct LogTextTests {
    @Test(arguments: [
        ("plain", "plain"),
        (#"say \"hi\" \\ \x41"#, #"say "hi" \ A"#),
        (#"/\xed\x95\x9c"#, "/한"),
        // Latin-1 or Windows-1251, as in the referrers of the public sample: kept, since it is no UTF-8.
        (#"http://\xe4\xe5\xe3\xf2/"#, #"http://\xe4\xe5\xe3\xf2/"#),
        // Control characters reach neither a table nor a terminal.
        (#"a\tb"#, #"a\tb"#),
        (#"a\x00b"#, #"a\x00b"#),
        (#"a\x1b[2Jb"#, #"a\x1b[2Jb"#),
        // What no server writes.
        (#"a\qb\x41"#, #"a\qb\x41"#),
        (#"a\x4"#, #"a\x4"#),
        (#"a\"#, #"a\"#),
    ])
    func escapesAreUndoneWhereTheyYieldText(logged: String, expected: String) {
        #expect(Array(logged.utf8).withUnsafeBytes { LogText.decode($0) } == expected)
    }
}

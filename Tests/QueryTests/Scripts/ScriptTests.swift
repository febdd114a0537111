import Foundation
import Testing

/// Every file of Tests/Scripts: what is loaded, rolled up and asked, in numbers that a reader can check in his head.
@Suite struct ScriptTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../../Scripts").standardizedFileURL

    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".test") }.sorted())
        ?? []

    @Test func thereAreSixtyAtLeast() {
        #expect(Self.names.count >= 60)
    }

    @Test(arguments: names) func theScriptHolds(_ name: String) async throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        try await ScriptRun.play(text, file: name)
    }

    /// A script that can't fail proves nothing.
    @Test func aWrongNumberFailsAScript() async throws {
        await withKnownIssue {
            try await ScriptRun.play(
                """
                load
                  2025-12-01T10:00 page_view artist=iu
                roll
                ask traffic artist=iu startDate=2025-12-01 endDate=2025-12-01
                  date        pageViews
                  2025-12-01  2
                  total       2
                """, file: "wrong")
        }
    }

    @Test(arguments: [
        "loud", "load", "roll now", "ask traffic", "load\n  2025-12-01T10:00", "load\n  2025-12-01T10:00 a artst=iu",
        "load\n  yesterday a", "  2025-12-01T10:00 a", "messages\n  2025-12-01T10:00 payment id=1",
        "ask traffic\n  date views",
    ])
    func whatIsNoScriptIsRefused(_ text: String) async throws {
        await #expect(throws: Script.Malformed.self) { try await ScriptRun.play(text, file: "malformed") }
    }
}

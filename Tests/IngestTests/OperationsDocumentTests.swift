import Foundation
import Testing

/// Whoever is awake at 3 a.m. finds every metric explained, and none that isn't there.
@Suite struct OperationsDocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// As the code makes them: `counter("tiketi_…"`.
    private static func metrics() throws -> Set<String> {
        let sources = root.appending(path: "Sources", directoryHint: .isDirectory)
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var names: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let code = try String(contentsOf: file, encoding: .utf8)
            for match in code.matches(of: /(?:counter|gauge|histogram)\(\s*"(tiketi_[a-z_]+)"/) {
                names.insert(String(match.1))
            }
        }
        return names
    }

    @Test func everyMetricIsExplained() throws {
        let text = try Self.text("docs/operations.md")
        let names = try Self.metrics()
        #expect(names.count > 40)
        // `tiketi_ship_batches_total`, `…_beacons_total`: a row may leave out what its first name begins with.
        let unexplained = names.filter { name in
            !text.contains("`\(name)")
                && !text.contains("`…_" + name.split(separator: "_").suffix(2).joined(separator: "_") + "`")
        }
        #expect(unexplained == [])
    }

    @Test(arguments: ["docs/operations.md", "docs/booking.md", "docs/questions.md", "README.md"])
    func everyMetricThatIsNamedExists(document: String) throws {
        let names = try Self.metrics()
        let unknown = try Self.text(document).matches(of: /`(tiketi_[a-z_]+)/).map { String($0.1) }
            .filter { !names.contains($0) }
        #expect(unknown == [])
    }
}

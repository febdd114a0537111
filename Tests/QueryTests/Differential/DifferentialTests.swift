import Core
import TestSupport
import Testing

/// Our rollups against DuckDB, which computes them in SQL from the same raw beacons (Tests/Differential).
@Suite(.enabled("\(DuckDB.absence)") { DuckDB.isInstalled || DuckDB.isRequired })
struct DifferentialTests {
    @Test func aMillionBeaconsEqualDuckDBs() async throws {
        // One seed: of so many estimates, another may have some beyond three standard errors by chance.
        let generator = SeededGenerator(seed: 20_251_201)
        print(generator)
        try await with(count: 1_000_000, generator) { run in
            let theirs = try await run.duckDB(try DuckDB.differentialScript())
            let differences = Differences(try await run.traffic(), try await run.revenue(), theirs)
            #expect(differences.summary == "")
            print("\(theirs.traffic.count) buckets, \(differences.estimates.count) of them with estimated visitors")
            #expect(differences.estimates.count > 1000)
            #expect(differences.estimates.filter { $0.errors > 3 }.isEmpty)
        }
    }

    /// A rule of DuckDB's script, broken by as little as can be, and where that shows.
    private static let brokenRules = [
        ("a gap of 30 minutes ends no session", ">= 1800000", "> 1800000", "counts and sessions"),
        ("a gap of 29:59.999 ends a session", ">= 1800000", ">= 1799999", "counts and sessions"),
        ("repeats count", "WHERE arrival NOT IN (SELECT arrival FROM repeats)", "", "counts and sessions"),
        (
            "the last of several copies counts", "ORDER BY arrival) > 1", "ORDER BY arrival DESC) > 1",
            "counts and sessions"
        ),
        ("an id is one beacon within the hour", "claimed // 60000", "claimed // 3600000", "counts and sessions"),
        ("a stamped id counts again only after a day", "< 86400000", "<= 86400000", "counts and sessions"),
        ("a stamped id counts again before a day is over", "< 86400000", "< 86399999", "counts and sessions"),
        (
            "a time ahead of the clock is believed", "coalesce(claimed, received), received)",
            "coalesce(claimed, received))", "counts and sessions"
        ),
        ("days begin an hour later", "'Asia/Seoul'", "'Asia/Shanghai'", "counts and sessions"),
        (
            "a session is its visitor's", "coalesce(session, visitor, client)", "coalesce(visitor, session, client)",
            "counts and sessions"
        ),
        (
            "a session is no visitor", "coalesce(visitor, session, client)", "coalesce(visitor, client)",
            "exact visitors"
        ),
        ("a message pays as often as it comes", "DISTINCT ON (id)", "", "revenue"),
    ]

    @Test func aBrokenRuleIsFound() async throws {
        let generator = SeededGenerator()
        print(generator)
        try await with(count: 20_000, generator) { run in
            let script = try DuckDB.differentialScript()
            let (traffic, revenue) = (try await run.traffic(), try await run.revenue())
            #expect(Differences(traffic, revenue, try await run.duckDB(script)).summary == "")
            for (rule, text, broken, place) in Self.brokenRules {
                let brokenScript = script.replacing(text, with: broken)
                #expect(brokenScript != script, "\(rule)")
                let differences = Differences(traffic, revenue, try await run.duckDB(brokenScript))
                #expect(differences.summary.contains(place), "\(rule)")
            }
        }
    }

    private func with(
        count: Int, _ generator: SeededGenerator, _ body: (DifferentialRun) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await withAnalyticsDatabase { configuration, pool in
                try await body(DifferentialRun(count, generator, configuration, pool, folder: folder))
            }
        }
    }
}

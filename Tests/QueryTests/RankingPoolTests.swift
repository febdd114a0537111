import Core
import Dispatch
import Storage
import TestSupport
import Testing

@testable import Query

/// Rankings and other answers have connections of their own: slow ones of one kind keep nobody of the other waiting.
@Suite(.timeLimit(.minutes(2))) struct RankingPoolTests {
    private static let period = Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-02")!)

    /// Runs `body` while all connections of the pool are taken.
    private func holding(_ pool: PostgresPool, _ count: Int, _ body: () async throws -> Void) async throws {
        let (taken, isTaken) = AsyncStream.makeStream(of: Void.self)
        let release = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await pool.withConnection { _ in
                        isTaken.yield()
                        release.wait()
                    }
                }
            }
            var left = count
            for await _ in taken {
                left -= 1
                if left == 0 { break }
            }
            defer { for _ in 0..<count { release.signal() } }
            try await body()
        }
    }

    private static let rankings: [TopQuestion] = [
        TopQuestion(by: .artist, metric: .uniqueVisitors, period: period), TopQuestion(by: .event, period: period),
        TopQuestion(by: .artist, metric: .revenue, period: period), TopQuestion(by: .path, period: period),
    ]

    @Test func slowRankingsKeepNoDashboardWaiting() async throws {
        try await Lab.with { lab in
            try await holding(lab.engine.rankings, QueryEngine.maxRankingConnections) {
                let waiting = (0..<4).map { number in Task { try await lab.engine.top(Self.rankings[number]) } }
                _ = try await lab.traffic(.site, "2025-12-01", "2025-12-02")
                for task in waiting { task.cancel() }
            }
        }
    }

    @Test func rankingsTakeNoConnectionOfAnswers() async throws {
        try await Lab.with { lab in
            try await holding(lab.engine.answers, QueryEngine.maxAnswerConnections) {
                for question in Self.rankings { _ = try await lab.engine.top(question) }
            }
        }
    }
}

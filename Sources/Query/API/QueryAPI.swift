import Core
import HTTPTypes
package import Hummingbird
import NIOCore
package import Platform
import Storage

/// Questions over HTTP. All of them need a token of role admin or analyst.
package struct QueryAPI: Sendable {
    package let engine: QueryEngine
    package let verifier: TokenVerifier
    /// The dashboard is everybody's, and costs more than other answers.
    package static let maxDashboardAgeMs: Int64 = 1000

    let metrics: QueryMetrics
    private let dashboard: SharedAnswer<DashboardAnswer>
    let exports = ExportSlots()
    /// Ends open streams when the process does: `feed.close()`.
    package let feed: RealtimeFeed

    package init(engine: QueryEngine, verifier: TokenVerifier, metrics: Metrics) {
        self.engine = engine
        self.verifier = verifier
        self.metrics = QueryMetrics(metrics)
        dashboard = SharedAnswer(
            maxAgeMs: Self.maxDashboardAgeMs, maxStaleMs: Self.maxDashboardAgeMs, find: { try await engine.dashboard() }
        )
        feed = RealtimeFeed(logger: engine.logger) { Self.event(try await engine.realtime()) }
    }

    /// Adds what lies under `/api/analytics`. Errors are problems already; those of the database are left to
    /// `ProblemMiddleware`.
    package func addRoutes<Context: RequestContext>(to router: some RouterMethods<Context>) {
        let group = router.group("api/analytics").add(
            middleware: TokenMiddleware<Context>(verifier, roles: [.admin, .analyst]))
        group.get("artist/:artistId/traffic") { request, context in
            try await answer(.traffic, request, known: TrafficQuestion.parameterNames) { parameters in
                try await engine.traffic(TrafficQuestion(subject: .artist(id("artistId", context)), parameters))
            }
        }
        group.get("event/:eventId/traffic") { request, context in
            try await answer(.traffic, request, known: TrafficQuestion.parameterNames) { parameters in
                try await engine.traffic(TrafficQuestion(subject: .event(id("eventId", context)), parameters))
            }
        }
        group.get("event/:eventId/funnel") { request, context in
            try await answer(.funnel, request, known: FunnelQuestion.parameterNames) { parameters in
                try await engine.funnel(FunnelQuestion(eventID: id("eventId", context), parameters))
            }
        }
        group.get("traffic") { request, _ in
            try await answer(.traffic, request, known: TrafficQuestion.parameterNames) { parameters in
                try await engine.traffic(TrafficQuestion(subject: .site, parameters))
            }
        }
        for (path, granularity) in [("stats", nil), ("daily", .daily), ("monthly", .monthly)]
            as [(String, Granularity?)]
        {
            let known = RevenueQuestion.parameterNames.filter { granularity == nil || $0 != "period" }
            group.get("revenue/\(path)") { request, _ in
                try await answer(.revenue, request, known: known) { parameters in
                    try await engine.revenue(RevenueQuestion(parameters, granularity: granularity))
                }
            }
        }
        group.get("dashboard") { request, _ in
            try await answer(.dashboard, request, known: []) { _ in try await dashboard.value() }
        }
        addRealtime(to: group)
        addExport(to: group)
        group.get("top") { request, _ in
            try await answer(.top, request, known: TopQuestion.parameterNames) { parameters in
                try await engine.top(TopQuestion(parameters))
            }
        }
    }

    private func id(_ name: String, _ context: some RequestContext) throws -> String {
        let text = context.parameters.get(name) ?? ""
        guard let decoded = PercentEncoding.decode(text.utf8, plusIsSpace: false) else {
            throw InvalidParameter(field: name, detail: "\(name) is not percent-encoded UTF-8")
        }
        return try QueryParameters.checkedIdentifier(decoded, name)
    }

    private func answer(
        _ question: QueryMetrics.Question, _ request: Request, known: [String],
        _ ask: (QueryParameters) async throws -> any Answer
    ) async throws -> Response {
        let start = ContinuousClock.now
        let answer = try await Self.withProblems {
            try await ask(QueryParameters(query: request.uri.query, known: known))
        }
        metrics.answered(question, after: .now - start)
        var json = JSONWriter()
        answer.write(to: &json)
        return JSONResponse.make(json, to: request)
    }

    /// What is the question's fault is said as a problem.
    static func withProblems<Value>(_ ask: () async throws -> Value) async throws -> Value {
        do {
            return try await ask()
        } catch let error as PostgresError where error.sqlState == "57014" {
            throw Problem(
                .gatewayTimeout, "too_slow", detail: "the answer took too long to find; ask for fewer days")
        }
    }
}

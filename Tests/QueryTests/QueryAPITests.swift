import Core
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct QueryAPITests {
    private let key = SigningKey.generate()

    private func router(_ engine: QueryEngine) async throws -> Router<BasicRequestContext> {
        let metrics = Metrics()
        let api = QueryAPI(
            engine: engine, verifier: TokenVerifier(.fixed(try await VerifyingKeys(key)), audience: .analytics),
            metrics: metrics)
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        api.addRoutes(to: router)
        ServiceRoutes.add(to: router, metrics: metrics, openAPI: [QueryAPI.openAPI]) { await engine.isReady() }
        return router
    }

    private func withAPI(
        _ body:
            @escaping @Sendable (Lab, @escaping @Sendable (String) async throws -> TestResponse) async throws -> Void
    ) async throws {
        let token = try await key.mint(
            audience: [.analytics], subject: "kim", role: .analyst, lifetimeSeconds: 600,
            now: Int64(Date().timeIntervalSince1970))
        try await Lab.with { lab in
            let application = Application(router: try await router(lab.engine))
            try await application.test(.router) { client in
                try await body(lab) { path in
                    try await client.execute(
                        uri: path, method: .get, headers: [.authorization: "Bearer \(token)"])
                }
            }
        }
    }

    @Test func answersAreThoseOfTheEngine() async throws {
        try await withAPI { lab, get in
            try await lab.traffic(.artist("아이유 1/2"), .day, "2025-12-01", views: 3)
            try await lab.traffic(.event("e1"), .day, "2025-12-01", views: 4)
            try await lab.traffic(.site, .day, "2025-12-01", views: 5)
            try await lab.revenue(.day, "2025-12-01", gross: 10)
            let range = "startDate=2025-12-01&endDate=2025-12-02"
            let period = Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-02")!)
            let engine = lab.engine
            let artist = "/api/analytics/artist/%EC%95%84%EC%9D%B4%EC%9C%A0%201%2F2/traffic?\(range)"
            var weekly = period
            weekly.granularity = .weekly
            var monthly = period
            monthly.granularity = .monthly
            let pairs: [(String, any Answer)] = [
                (artist, try await engine.traffic(.init(subject: .artist("아이유 1/2"), period: period))),
                (
                    artist + "&granularity=weekly",
                    try await engine.traffic(.init(subject: .artist("아이유 1/2"), period: weekly))
                ),
                (
                    "/api/analytics/event/e1/traffic?\(range)",
                    try await engine.traffic(.init(subject: .event("e1"), period: period))
                ),
                ("/api/analytics/traffic?\(range)", try await engine.traffic(.init(subject: .site, period: period))),
                ("/api/analytics/revenue/stats?\(range)", try await engine.revenue(.init(period: period))),
                (
                    "/api/analytics/revenue/stats?\(range)&period=weekly",
                    try await engine.revenue(.init(period: weekly))
                ),
                ("/api/analytics/revenue/daily?\(range)", try await engine.revenue(.init(period: period))),
                ("/api/analytics/revenue/monthly?\(range)", try await engine.revenue(.init(period: monthly))),
                ("/api/analytics/dashboard", try await engine.dashboard()),
                ("/api/analytics/top?by=event&\(range)", try await engine.top(.init(by: .event, period: period))),
            ]
            for (path, answer) in pairs {
                let response = try await get(path)
                #expect(response.status == .ok, "\(path)")
                #expect(response.headers[.contentType] == "application/json")
                #expect(response.headers[.cacheControl] == "private, max-age=1")
                #expect(String(buffer: response.body) == answer.json, "\(path)")
                #expect(
                    (try? JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))) != nil, "\(path)")
            }
            #expect(String(buffer: try await get(artist).body).contains(#""artistId":"아이유 1/2""#))
            #expect(String(buffer: try await get(artist).body).contains(#""pageViews":3"#))
        }
    }

    @Test(
        arguments: [
            (
                "artist/iu/traffic?from=2025-12-01", "from",
                "from is not known here; allowed: startDate, endDate, timezone, granularity, compare",
                [#""startDate""#, #""endDate""#, #""timezone""#, #""granularity""#, #""compare""#]
            ),
            (
                "artist/iu/traffic?compare=tomorrow", "compare", "compare must be one of previous, year",
                [#""previous""#, #""year""#]
            ),
            ("artist/iu/traffic?startDate=tomorrow", "startDate", "startDate must be a day such as 2025-12-01", []),
            (
                "artist/iu/traffic?startDate=2025-12-02&endDate=2025-12-01", "startDate",
                "startDate must not be after endDate", []
            ),
            (
                "artist/iu/traffic?granularity=yearly", "granularity",
                "granularity must be one of hourly, daily, weekly, monthly",
                [#""hourly""#, #""daily""#, #""weekly""#, #""monthly""#]
            ),
            (
                "artist/iu/traffic?granularity=hourly&startDate=2025-11-01&endDate=2025-12-05", "startDate",
                "startDate to endDate may span at most 31 days for hourly answers; these are 35", []
            ),
            (
                "artist/iu/traffic?timezone=Nowhere", "timezone",
                "timezone must be an IANA name such as Asia/Seoul or Europe/Berlin", []
            ),
            ("artist/%01/traffic", "artistId", "artistId must be 1 to 128 bytes without control characters", []),
            ("artist/%ff/traffic", "artistId", "artistId is not percent-encoded UTF-8", []),
            ("event/%0a/traffic", "eventId", "eventId must be 1 to 128 bytes without control characters", []),
            (
                "revenue/stats?period=hourly", "period", "period must be one of daily, weekly, monthly",
                [#""daily""#, #""weekly""#, #""monthly""#]
            ),
            ("revenue/stats?currency=won", "currency", "currency must be three capital letters such as KRW", []),
            (
                "revenue/daily?limit=1&limit=2", "limit",
                "limit is not known here; allowed: startDate, endDate, timezone, currency, artistId, compare",
                [#""startDate""#, #""endDate""#, #""timezone""#, #""currency""#, #""artistId""#, #""compare""#]
            ),
            ("dashboard?x=1", "x", "x is not known here: no parameters are taken", []),
            (
                "top", "by", "by is missing; it must be one of artist, event, path, referrer, country, device",
                [#""artist""#, #""event""#, #""path""#, #""referrer""#, #""country""#, #""device""#]
            ),
            ("top?by=artist&limit=101", "limit", "limit must be a whole number from 1 to 100", []),
            (
                "top?by=path&startDate=2025-11-01&endDate=2025-12-05&timezone=UTC", "startDate",
                "startDate to endDate may span at most 31 days for by=path outside Asia/Seoul; these are 35", []
            ),
        ] as [(String, String, String, [String])])
    func badQuestionsNameTheirField(_ path: String, _ field: String, _ detail: String, _ allowed: [String]) async throws
    {
        try await withAPI { _, get in
            let response = try await get("/api/analytics/" + path)
            #expect(response.status == .unprocessableContent)
            #expect(response.headers[.contentType] == "application/problem+json")
            let instance = "/api/analytics/" + path.prefix { $0 != "?" }
            let values = allowed.isEmpty ? "" : #","allowed":["# + allowed.joined(separator: ",") + "]"
            #expect(
                String(buffer: response.body)
                    == #"{"type":"urn:tiketi:problem:invalid_field","title":"Unprocessable Content","status":422,"#
                    + #""detail":"\#(detail)","instance":"\#(instance)","code":"invalid_field","field":"\#(field)"\#(values)}"#
            )
        }
    }

    @Test func nothingIsAnsweredWithoutAToken() async throws {
        try await Lab.with { lab in
            let router = try await router(lab.engine)
            let paths = router.routes.map { $0.path.description.replacing(/[:{]\w+}?/, with: "x") }
                .filter { $0.hasPrefix("/api/") }
            #expect(paths.count == 11)
            try await Application(router: router).test(.router) { client in
                for path in paths {
                    let response = try await client.execute(uri: path, method: .get)
                    #expect(response.status == .unauthorized, "\(path)")
                }
                for path in ["/health", "/ready", "/metrics", "/openapi.json"] {
                    #expect(try await client.execute(uri: path, method: .get).status == .ok, "\(path)")
                }
            }
        }
    }

    @Test func moreExportsThanMayBeAreRefused() async throws {
        let token = try await key.mint(
            audience: [.analytics], subject: "kim", role: .analyst, lifetimeSeconds: 600,
            now: Int64(Date().timeIntervalSince1970))
        try await Lab.with { lab in
            let api = QueryAPI(
                engine: lab.engine, verifier: TokenVerifier(.fixed(try await VerifyingKeys(key)), audience: .analytics),
                metrics: Metrics())
            let router = Router()
            router.add(middleware: ProblemMiddleware())
            api.addRoutes(to: router)
            try await Application(router: router).test(.router) { client in
                func get() async throws -> TestResponse {
                    try await client.execute(
                        uri: "/api/analytics/export", method: .get, headers: [.authorization: "Bearer \(token)"])
                }
                var held = try (0..<ExportSlots.maxExports).map { _ in try api.exports.take() }
                let refused = try await get()
                #expect(refused.status == .serviceUnavailable)
                #expect(refused.headers[.retryAfter] == "10")
                #expect(String(buffer: refused.body).contains(#""code":"too_many_exports""#))
                held = []
                let answered = try await get()
                #expect(answered.status == .ok)
                #expect(answered.headers[.contentType] == "text/csv; charset=utf-8")
                // Its own slot is free again.
                held = try (0..<ExportSlots.maxExports).map { _ in try api.exports.take() }
                withExtendedLifetime(held) {}
            }
        }
    }

    @Test func theServiceIsNotReadyWithoutItsDatabase() async throws {
        let engine = QueryEngine(
            database: try PostgresConfiguration(url: "postgresql:///nowhere?host=/nonexistent"), redis: nil,
            calendar: .seoul, logger: testLogger)
        try await Application(router: try await router(engine)).test(.router) { client in
            let ready = try await client.execute(uri: "/ready", method: .get)
            #expect(ready.status == .serviceUnavailable)
            #expect(ready.headers[.retryAfter] != nil)
            #expect(try await client.execute(uri: "/health", method: .get).status == .ok)
        }
        await engine.shutdown()
    }

    @Test func theServiceIsNotReadyBeforeTheNewestMigration() async throws {
        try await Lab.with { lab in
            try await lab.execute(
                "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)")
            #expect(await !lab.engine.isReady())
        }
    }

    @Test func answersAreMeasured() async throws {
        try await withAPI { _, get in
            _ = try await get("/api/analytics/dashboard")
            let metrics = String(buffer: try await get("/metrics").body)
            #expect(metrics.contains(#"tiketi_query_answer_seconds_count{question="dashboard"} 1"#))
            #expect(metrics.contains(#"tiketi_query_answer_seconds_count{question="traffic"} 0"#))
        }
    }

    // MARK: OpenAPI

    @Test func theDocumentHasEveryRouteAndNoOther() async throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(OpenAPI.merged([QueryAPI.openAPI]).utf8)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
        try await Lab.with { lab in
            let routes = try await router(lab.engine).routes.map { route in
                "\(route.method) " + route.path.description.replacing(/:(\w+)/) { "{\($0.1)}" }
            }
            #expect(Set(routes) == described)
        }
    }

    /// What is sent with an answer is described, and that it may be sent no more.
    @Test func theDocumentHasTheHeadersOfAnswers() async throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(OpenAPI.merged([QueryAPI.openAPI]).utf8)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        for (path, operations) in paths where path.hasPrefix("/api/") {
            let responses = try #require(operations["get"]?["responses"] as? [String: [String: Any]])
            let headers = try #require(responses["200"]?["headers"] as? [String: Any], "\(path)")
            #expect(headers["Cache-Control"] != nil, "\(path)")
            let isStream = path.hasSuffix("/export") || path.hasSuffix("/realtime")
            #expect((headers["ETag"] != nil) == !isStream, "\(path)")
            #expect((responses["304"] != nil) == !isStream, "\(path)")
        }
    }

    @Test func theDocumentHasEveryParameterAndNoOther() throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(QueryAPI.openAPI.utf8)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        let revenue = RevenueQuestion.parameterNames
        let expected: [String: [String]] = [
            "/api/analytics/artist/{artistId}/traffic": TrafficQuestion.parameterNames,
            "/api/analytics/event/{eventId}/traffic": TrafficQuestion.parameterNames,
            "/api/analytics/traffic": TrafficQuestion.parameterNames,
            "/api/analytics/revenue/stats": revenue,
            "/api/analytics/revenue/daily": revenue.filter { $0 != "period" },
            "/api/analytics/revenue/monthly": revenue.filter { $0 != "period" },
            "/api/analytics/dashboard": [],
            "/api/analytics/realtime": [],
            "/api/analytics/export": ExportQuestion.parameterNames,
            "/api/analytics/event/{eventId}/funnel": FunnelQuestion.parameterNames,
            "/api/analytics/top": TopQuestion.parameterNames,
        ]
        for (path, names) in expected {
            let parameters = try #require(paths[path]?["get"]?["parameters"] as? [[String: Any]])
            let described = parameters.compactMap { parameter -> String? in
                if let reference = parameter["$ref"] as? String {
                    return reference.split(separator: "/").last.map(String.init)
                }
                return parameter["in"] as? String == "query" ? parameter["name"] as? String : nil
            }
            #expect(Set(described) == Set(names), "\(path)")
        }
    }
}

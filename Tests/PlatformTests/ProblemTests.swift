import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Platform
import Storage
import Testing

@Suite struct ProblemTests {
    @Test func theBodyIsRFC9457() {
        let problem = Problem(
            .unprocessableContent, "invalid_field", title: "T \"quoted\"", detail: "a\\b\n\u{1}é", instance: "/x",
            field: "granularity", allowed: ["daily", "weekly"])
        #expect(
            String(decoding: problem.body(), as: UTF8.self)
                == #"{"type":"urn:tiketi:problem:invalid_field","title":"T \"quoted\"","status":422,"#
                + #""detail":"a\\b\u000a\u0001é","instance":"/x","code":"invalid_field","field":"granularity","#
                + #""allowed":["daily","weekly"]}"#)
        #expect(
            String(decoding: Problem(.notFound, "not_found").body(), as: UTF8.self)
                == #"{"type":"urn:tiketi:problem:not_found","title":"Not Found","status":404,"code":"not_found"}"#)
    }

    private struct Secret: Error, CustomStringConvertible {
        var description: String { "password=hunter2" }
    }

    private static func answer(
        _ path: String, _ check: @escaping @Sendable (TestResponse) throws -> Void
    ) async throws {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        router.get("problem") { _, _ -> String in
            throw Problem(
                .tooManyRequests, "rate_limited", detail: "Slow down.", retryAfterSeconds: 3,
                headers: [.allow: "GET"])
        }
        router.get("http") { _, _ -> String in throw HTTPError(.conflict, message: "It is taken.") }
        router.get("secret") { _, _ -> String in throw Secret() }
        router.get("fine") { _, _ in "fine" }
        let application = Application(
            router: router, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await application.test(.router) { client in
            try await client.execute(uri: path, method: .get) { try check($0) }
        }
    }

    @Test func aProblemIsAnsweredAsItIs() async throws {
        try await Self.answer("/problem?x=1") { response in
            #expect(response.status == .tooManyRequests)
            #expect(response.headers[.contentType] == "application/problem+json")
            #expect(response.headers[.retryAfter] == "3")
            #expect(response.headers[.allow] == "GET")
            #expect(
                String(buffer: response.body)
                    == #"{"type":"urn:tiketi:problem:rate_limited","title":"Too Many Requests","status":429,"#
                    + #""detail":"Slow down.","instance":"/problem","code":"rate_limited"}"#)
        }
    }

    @Test func errorsOfTheFrameworkBecomeProblems() async throws {
        try await Self.answer("/http") { response in
            #expect(response.status == .conflict)
            #expect(
                String(buffer: response.body)
                    == #"{"type":"urn:tiketi:problem:conflict","title":"Conflict","status":409,"#
                    + #""detail":"It is taken.","instance":"/http","code":"conflict"}"#)
        }
        try await Self.answer("/missing") { response in
            #expect(response.status == .notFound)
            #expect(response.headers[.contentType] == "application/problem+json")
            #expect(String(buffer: response.body).contains(#""code":"not_found""#))
        }
        try await Self.answer("/fine") { #expect(String(buffer: $0.body) == "fine") }
    }

    @Test func storesThatCannotAnswerAre503() async throws {
        for error: any Error in [
            PostgresError(.overloaded, "m"), PostgresError(.unavailable, "m"), RedisError(.overloaded, "m"),
            RedisError(.unavailable, "m"),
        ] {
            let problem = try #require(Problem(error))
            #expect(problem.status == .serviceUnavailable)
            #expect(["overloaded": 1, "unavailable": 5][problem.code] == problem.retryAfterSeconds)
        }
        #expect(Problem(PostgresError(.server(sqlState: "23505"), "m")) == nil)
        #expect(Problem(RedisError(.decoding, "m")) == nil)
    }

    @Test func unknownErrorsSayNothing() async throws {
        try await Self.answer("/secret") { response in
            #expect(response.status == .internalServerError)
            #expect(
                String(buffer: response.body)
                    == #"{"type":"urn:tiketi:problem:internal","title":"Internal Server Error","status":500,"#
                    + #""instance":"/secret","code":"internal"}"#)
        }
    }
}

import AsyncHTTPClient
import Foundation
import HTTPTypes
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import PaymentService

/// Reservations in the same process is asked without HTTP, and says the same.
struct ReservationsBesideTests {
    private func client(_ beside: ReservationsBeside) -> ReservationClient {
        ReservationClient(
            http: .shared, address: { nil }, beside: beside, token: ServiceToken(.generate(), clock: { 0 }),
            logger: testLogger)
    }

    private func text<Value>(_ answer: ReservationClient.Answer<Value>) -> String {
        switch answer {
        case .ok(let value): "ok \(value)"
        case .conflict(let code): "conflict \(code)"
        case .notFound: "not found"
        case .unknown: "unknown"
        }
    }

    private final class Calls: Sendable {
        private let calls = Mutex<[String]>([])

        func note(_ call: String) { calls.withLock { $0.append(call) } }

        var all: [String] { calls.withLock { $0 } }
    }

    @Test func everyCallIsPassedOnWithWhatItNames() async {
        let calls = Calls()
        let json = """
            {"id":"r","userId":"u","eventId":"e","artistId":"a","title":"t","state":"held","amount":5,
             "currency":"KRW","tickets":1}
            """
        let client = client(
            ReservationsBeside(
                find: {
                    calls.note("find \($0)")
                    return Data(json.utf8)
                }, confirming: { calls.note("confirming \($0) \($1) \($2)") },
                release: { calls.note("release \($0) \($1)") },
                returned: { calls.note("returned \($0) \($1)") },
                sold: {
                    calls.note("sold \($0) \($1) \($2)")
                    return ["t-1"]
                }))
        guard case .ok(let found) = await client.reservation("r") else {
            Issue.record("not found")
            return
        }
        #expect(found.userId == "u" && found.amount == 5 && found.expires == nil)
        #expect(text(await client.confirming("r", payment: "p", amount: 5)) == "ok ()")
        #expect(text(await client.release("r", payment: "p")) == "ok ()")
        #expect(text(await client.returned("r", payment: "p")) == "ok ()")
        #expect(text(await client.sold("r", payment: "p", approvedAt: 7)) == #"ok ["t-1"]"#)
        #expect(
            calls.all == ["find r", "confirming r p 5", "release r p", "returned r p", "sold r p 7"])
    }

    /// Only a problem of Reservations' own decides; whatever else goes wrong, it may have been done.
    @Test func problemsAreTheRoutesAnswers() async {
        let errors: [(any Error, String)] = [
            (Problem(.conflict, "not_held"), "conflict not_held"),
            (Problem(.notFound, "reservation_not_found"), "not found"), (Problem(.notFound, "not_found"), "unknown"),
            (Problem.unavailable, "unknown"), (PostgresError(.unavailable, "gone"), "unknown"),
            (CancellationError(), "unknown"),
        ]
        for (error, expected) in errors {
            let client = client(
                ReservationsBeside(
                    find: { _ in throw error }, confirming: { _, _, _ in throw error },
                    release: { _, _ in throw error }, returned: { _, _ in throw error },
                    sold: { _, _, _ in throw error }))
            #expect(text(await client.reservation("r")) == expected)
            #expect(text(await client.confirming("r", payment: "p", amount: 5)) == expected)
            #expect(text(await client.release("r", payment: "p")) == expected)
            #expect(text(await client.returned("r", payment: "p")) == expected)
            #expect(text(await client.sold("r", payment: "p", approvedAt: 7)) == expected)
        }
    }
}

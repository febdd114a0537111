import Core
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Platform
import Synchronization

/// Reservations, as docs/booking.md has its internal interface: in memory, over real HTTP, with tokens checked.
final class ReservationStandIn: Sendable {
    struct Reservation: Sendable {
        var id: String
        var userId: String
        var amount: Int64 = 110_000
        var tickets = 2
        var state = "held"
        var paymentId: String?
        var released: Set<String> = []
        var returned: Set<String> = []
        /// Whether another buyer has the seats by now.
        var areSeatsTaken = false
        var expiresAt: Int64
        var visitorId: String? = "visitor"
    }

    struct State: Sendable {
        var reservations: [String: Reservation] = [:]
        var calls: [String: Int] = [:]
        /// Calls that are done and answered with 500, by verb.
        var lostAnswers: [String: Int] = [:]
        /// Calls that aren't done, by verb.
        var outages: [String: Int] = [:]
        /// Done as a call to keep seats arrives.
        var beforeConfirming: (@Sendable () async throws -> Void)?
        /// What all calls are answered with instead: as where another server, or another version, is asked.
        var answer: Problem?
    }

    private let state = Mutex(State())
    private let clock: TestClock
    private let verifier: TokenVerifier

    init(clock: TestClock, key: SigningKey) async throws {
        self.clock = clock
        verifier = TokenVerifier(
            .fixed(try await VerifyingKeys(key)), issuer: "tiketi-payments", audience: .reservations,
            now: { clock.now / 1000 })
    }

    func add(user: String, amount: Int64 = 110_000, holdMs: Int64 = 300_000) -> String {
        let id = UUID().uuidString.lowercased()
        state.withLock {
            $0.reservations[id] = Reservation(
                id: id, userId: user, amount: amount, expiresAt: clock.now + holdMs)
        }
        return id
    }

    func with<R: Sendable>(_ body: (inout State) -> R) -> R { state.withLock { body(&$0) } }

    func calls(_ verb: String) -> Int { with { $0.calls[verb, default: 0] } }

    subscript(id: String) -> Reservation { with { $0.reservations[id]! } }

    var router: Router<ServiceContext> {
        let router = Router(context: ServiceContext.self)
        router.add(middleware: ProblemMiddleware())
        let inside = router.group("internal/reservations")
            .add(middleware: IdentityMiddleware(verifier, roles: [.service]))
        inside.get(":id") { [self] _, context in
            try answer("get", context, nil) { $0 }
        }
        inside.post(":id/confirming") { [self] request, context in
            let fields = try await RequestFields(of: request, known: ["paymentId", "amount"])
            let payment = try fields.text("paymentId", bytes: 36...36)
            let amount = try fields.integer("amount", in: 0...Int64.max)
            try await with { $0.beforeConfirming }?()
            return try answer("confirming", context, payment) { [clock] reservation in
                var reservation = reservation
                if reservation.state == "confirming", reservation.paymentId == payment { return reservation }
                guard reservation.state == "held", reservation.expiresAt > clock.now,
                    !reservation.released.contains(payment)
                else {
                    throw Problem(.conflict, "not_held")
                }
                guard reservation.amount == amount else { throw Problem(.conflict, "amount_differs") }
                reservation.state = "confirming"
                reservation.paymentId = payment
                return reservation
            }
        }
        inside.post(":id/release") { [self] request, context in
            let payment = try await RequestFields(of: request, known: ["paymentId"]).text("paymentId", bytes: 36...36)
            return try answer("release", context, payment) { [clock] reservation in
                var reservation = reservation
                reservation.released.insert(payment)
                guard reservation.state == "confirming", reservation.paymentId == payment else { return reservation }
                reservation.state = reservation.expiresAt > clock.now ? "held" : "expired"
                reservation.paymentId = nil
                return reservation
            }
        }
        inside.post(":id/returned") { [self] request, context in
            let payment = try await RequestFields(of: request, known: ["paymentId"]).text("paymentId", bytes: 36...36)
            return try answer("returned", context, payment) { [clock] reservation in
                var reservation = reservation
                reservation.released.insert(payment)
                reservation.returned.insert(payment)
                guard reservation.paymentId == payment else { return reservation }
                switch reservation.state {
                case "confirming":
                    reservation.state = reservation.expiresAt > clock.now ? "held" : "expired"
                    reservation.paymentId = nil
                case "paid": reservation.state = "canceled"
                default: break
                }
                return reservation
            }
        }
        inside.post(":id/sold") { [self] request, context in
            let fields = try await RequestFields(of: request, known: ["paymentId", "approvedAt"])
            let payment = try fields.text("paymentId", bytes: 36...36)
            _ = try fields.instant("approvedAt")
            return try answer("sold", context, payment) { reservation in
                var reservation = reservation
                if reservation.state == "paid", reservation.paymentId == payment { return reservation }
                guard reservation.state != "paid", !reservation.areSeatsTaken, !reservation.returned.contains(payment)
                else {
                    throw Problem(.conflict, "seats_lost")
                }
                reservation.state = "paid"
                reservation.paymentId = payment
                return reservation
            }
        }
        return router
    }

    private func answer(
        _ verb: String, _ context: ServiceContext, _ payment: String?,
        _ change: (Reservation) throws -> Reservation
    ) throws -> Response {
        let id = try context.parameters.require("id")
        let reservation = try state.withLock { state in
            state.calls[verb, default: 0] += 1
            if state.outages[verb, default: 0] > 0 {
                state.outages[verb]! -= 1
                throw Problem(.serviceUnavailable, "unavailable")
            }
            if let answer = state.answer { throw answer }
            guard let known = state.reservations[id] else { throw Problem(.notFound, "reservation_not_found") }
            let changed = try change(known)
            state.reservations[id] = changed
            if state.lostAnswers[verb, default: 0] > 0 {
                state.lostAnswers[verb]! -= 1
                throw Problem(.internalServerError, "internal")
            }
            return changed
        }
        var json = JSONWriter()
        json.object { json in
            json.member("id", reservation.id)
            json.member("userId", reservation.userId)
            json.member("eventId", "event-1")
            json.member("artistId", "artist-1")
            json.member("title", "콘서트 <서울>")
            json.member("state", reservation.state)
            json.member("amount", reservation.amount)
            json.member("currency", "KRW")
            if verb == "sold" {
                json.member("tickets", array: 0..<reservation.tickets) { $0.value("ticket-\($1)") }
            } else {
                json.member("tickets", Int64(reservation.tickets))
            }
            json.member("expiresAt", Instant.iso8601(reservation.expiresAt))
            json.member("visitorId", reservation.visitorId)
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}

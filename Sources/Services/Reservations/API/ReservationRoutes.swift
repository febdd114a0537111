import Core
import Foundation
import HTTPTypes
import Hummingbird
import Platform

/// `/api/reservations`
struct ReservationRoutes: Sendable {
    static let maxPage = 100
    static let defaultPage = 20
    static let maxVisitorBytes = 128

    let service: ReservationService

    func add(to router: Router<ServiceContext>) {
        let routes = router.group("api/reservations")
            .add(middleware: IdentityMiddleware(service.verifier, roles: [.user, .admin, .analyst]))
        routes.post(use: hold)
        routes.get("my") { request, context in
            try await page(of: try context.signedIn().subject, request)
        }
        routes.get("user/:userId") { request, context in
            let identity = try context.signedIn()
            let user = context.parameters.get("userId") ?? ""
            guard identity.role == .admin || identity.subject == user else { throw Problem(.notFound, "not_found") }
            return try await page(of: user, request)
        }
        routes.get(":id") { request, context in
            _ = try QueryParameters(query: request.uri.query, known: [])
            return JSONResponse.make(
                ReservationJSON.text(try await own(context), now: service.store.clock()), to: request)
        }
        routes.get(":id/tickets") { request, context in
            _ = try QueryParameters(query: request.uri.query, known: [])
            let reservation = try await own(context)
            let tickets = try await service.store.tickets(of: reservation.id)
            var json = JSONWriter()
            try ReservationJSON.write(tickets, service.ticketKey, to: &json)
            return JSONResponse.make(json, to: request)
        }
        routes.get(":id/cancellation", use: quote)
        routes.delete(":id", use: cancel)
    }

    /// The reservation of the path: its owner's, or for an admin anybody's.
    private func own(_ context: ServiceContext) async throws -> Reservation {
        let identity = try context.signedIn()
        guard let reservation = try await service.store.find(try PathId.uuid("id", context)),
            Self.mayAct(identity, on: reservation)
        else { throw ReservationStore.notFound }
        return reservation
    }

    private static func mayAct(_ identity: AccessToken, on reservation: Reservation) -> Bool {
        identity.role == .admin || identity.subject == reservation.userId
    }

    // MARK: Holding

    private func hold(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let identity = try context.signedIn()
        _ = try QueryParameters(query: request.uri.query, known: [])
        let fields = try await RequestFields(
            of: request, known: ["eventId", "seatIds", "visitorId", "admissionToken"])
        let eventId = try fields.text("eventId", bytes: 1...PathId.maxEventBytes)
        guard PathId.isEvent(eventId) else {
            throw fields.invalid("eventId", "must be 1 to \(PathId.maxEventBytes) of a-z, 0-9 and -")
        }
        let seatIds = try fields.texts(
            "seatIds", count: 1...CatalogueEvent.maxSeatsPerBuyer, bytes: 1...CatalogueEvent.maxSeatTextBytes)
        guard Set(seatIds).count == seatIds.count else { throw fields.invalid("seatIds", "must name each seat once") }
        let visitorId = try fields.optionalText("visitorId", bytes: 1...Self.maxVisitorBytes)
        let token = try fields.optionalText("admissionToken", bytes: 1...TokenVerifier.maxTokenBytes)
        try await service.copies.require(eventId)
        var admissionId: String?
        if let token, let keys = service.queueKeys {
            admissionId = try await AdmissionToken.verified(
                token, keys, buyer: identity.subject, eventId: eventId, nowMs: service.store.clock()
            ).jti
        }
        let noted = await service.taken.among(seatIds, of: eventId)
        if !noted.isEmpty {
            service.metrics.refusedFast.increment()
            throw Self.taken(noted)
        }
        let outcome = try await service.store.hold(
            .init(
                eventId: eventId, buyer: identity.subject, seatIds: seatIds, visitorId: visitorId,
                admissionId: admissionId))
        switch outcome {
        case .held(let reservation):
            service.metrics.held.increment()
            await service.taken.note(seatIds, of: eventId, lastingMs: service.store.holdMs)
            await service.maps.changed(eventId, by: identity.subject)
            return ReservationJSON.text(reservation, now: service.store.clock())
                .answer(.created, headers: [.location: "/api/reservations/\(reservation.id)"])
        case .taken(let seats):
            service.metrics.refused.increment()
            await service.taken.note(seats, of: eventId)
            throw Self.taken(seats)
        case .unknownEvent: throw EventCopies.notFound
        case .salesClosed:
            throw Problem(.conflict, "sales_closed", detail: "the event's tickets are not on sale now")
        case .admissionRequired:
            throw Problem(
                .forbidden, "admission_required", detail: "the event needs an admission token: join its queue")
        case .admissionUsed:
            throw Problem(.conflict, "admission_used", detail: "the admission token has been used: queue again")
        case .tooManySeats:
            throw Problem(
                .conflict, "too_many_seats", detail: "that is more seats than one buyer may have of this event")
        case .tooManyReservations:
            throw Problem(
                .conflict, "too_many_reservations",
                detail: "a buyer may have \(service.store.maxLiveReservations) unpaid reservations: pay or cancel one")
        case .tooManyHolds(let againAt):
            throw Problem(
                .tooManyRequests, "too_many_holds",
                detail: "a buyer may hold seats \(service.store.maxHoldsPerHour) times an hour",
                retryAfterSeconds: Int(max(1, (againAt - service.store.clock() + 999) / 1000)))
        case .unknownSeats(let seats):
            var problem = fields.invalid("seatIds", "has seats that the event doesn't offer")
            problem.lists = ["seats": seats]
            throw problem
        }
    }

    private static func taken(_ seats: [String]) -> Problem {
        var problem = Problem(
            .conflict, "seat_taken", detail: "taken already: \(seats.joined(separator: ", "))", field: "seatIds")
        problem.lists = ["seats": seats]
        return problem
    }

    // MARK: Listing

    private func page(of user: String, _ request: Request) async throws -> Response {
        let parameters = try QueryParameters(query: request.uri.query, known: ["cursor", "limit"])
        let limit = try parameters.integer("limit", in: 1...Self.maxPage, default: Self.defaultPage)
        var cursor: ReservationStore.Cursor?
        if let text = parameters["cursor"] {
            cursor = ReservationStore.Cursor(text)
            guard cursor != nil else {
                throw InvalidParameter(field: "cursor", detail: "cursor must be one that an earlier page has given")
            }
        }
        guard user.utf8.count <= QueryParameters.maxIdentifierBytes, !user.utf8.contains(0) else {
            throw Problem(.notFound, "not_found")
        }
        let page = try await service.store.page(of: user, after: cursor, limit: limit)
        let now = service.store.clock()
        var json = JSONWriter()
        json.object { json in
            json.member("reservations", array: page.reservations) { ReservationJSON.write($1, now: now, to: &$0) }
            json.member("next", page.next?.text)
        }
        return JSONResponse.make(json, to: request)
    }

    // MARK: Cancelling

    private func quote(_ request: Request, _ context: ServiceContext) async throws -> Response {
        _ = try QueryParameters(query: request.uri.query, known: [])
        let reservation = try await own(context)
        let now = service.store.clock()
        var quote: CancellationQuote?
        switch reservation.state {
        case .held: break
        case .paid:
            let tickets = try await service.store.tickets(of: reservation.id).filter { $0.state == .valid }
            quote = try CancellationQuote(reservation, tickets, isFull: false, now: now)
        case .confirming, .expired, .canceled:
            throw Problem(.conflict, "not_cancelable", detail: "there is nothing that could be canceled")
        }
        var json = JSONWriter()
        json.object { json in
            json.member("reservationId", reservation.id)
            json.member("amount", quote?.amount ?? 0)
            json.member("currency", reservation.currency)
            json.member("feePercent", quote?.feePercent ?? 0)
            json.member("startsAt", Instant.iso8601(reservation.startsAt))
            json.member("tickets", array: quote?.parts ?? []) { json, part in
                json.object { json in
                    json.member("ticketId", part.ticket.id)
                    json.member("seatId", part.ticket.seatId)
                    json.member("price", part.ticket.price)
                    json.member("refund", part.refund)
                }
            }
            json.member("asOf", passing: Instant.iso8601(now))
        }
        return JSONResponse.make(json, to: request, cacheControl: "private, no-store")
    }

    private func cancel(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let identity = try context.signedIn()
        let id = try PathId.uuid("id", context)
        let parameters = try QueryParameters(query: request.uri.query, known: ["ticketIds", "full"])
        var tickets: Set<String>?
        if let text = parameters["ticketIds"] {
            let ids = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard ids.count <= CatalogueEvent.maxSeatsPerBuyer, ids.allSatisfy(isUUID) else {
                throw InvalidParameter(
                    field: "ticketIds",
                    detail: "ticketIds must be 1 to \(CatalogueEvent.maxSeatsPerBuyer) ids, separated by commas")
            }
            tickets = Set(ids)
        }
        let isFull = try parameters.choice("full", of: Flag.allCases, default: .false) == .true
        guard !isFull || identity.role == .admin else {
            throw Problem(.forbidden, "wrong_role", detail: "only an admin gives back all of it")
        }
        let cancellation = try await service.store.cancel(
            id, ticketIds: tickets, isFull: isFull, by: identity.subject
        ) {
            Self.mayAct(identity, on: $0)
        }
        guard let reservation = try await service.store.find(id) else { throw ReservationStore.notFound }
        await service.taken.forget(cancellation.freedSeats, of: reservation.eventId)
        await service.maps.changed(reservation.eventId, by: reservation.userId)
        var json = JSONWriter()
        json.object { json in
            json.member("reservation", raw: ReservationJSON.text(reservation, now: service.store.clock()).text)
            json.member("canceledTickets", array: cancellation.ticketIds) { $0.value($1) }
            json.member("cancellationId", cancellation.id)
            json.member("refund", cancellation.amount)
            json.member("currency", reservation.currency)
        }
        return json.answer()
    }

    private enum Flag: String, CaseIterable {
        case `true`, `false`
    }
}

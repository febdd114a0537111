import HTTPTypes
import Hummingbird
import Platform

/// `/internal/reservations`: what Payments asks, by a key of its own (docs/booking.md).
struct InternalRoutes: Sendable {
    static let issuer = "tiketi-payments"
    static let maxPaymentIdBytes = 128

    let service: ReservationService
    let verifier: TokenVerifier

    func add(to router: Router<ServiceContext>) {
        let routes = router.group("internal/reservations")
            .add(middleware: IdentityMiddleware(verifier, roles: [.service]))
        routes.get(":id") { request, context in
            let id = try Self.id(context)
            guard let reservation = try await service.store.find(id) else {
                throw ReservationStore.unknownReservation
            }
            return JSONResponse.make(
                ReservationJSON.internalText(reservation, now: service.store.clock()), to: request,
                cacheControl: "no-store")
        }
        routes.post(":id/confirming") { request, context in
            let id = try Self.id(context)
            let fields = try await RequestFields(of: request, known: ["paymentId", "amount"])
            try await service.store.confirming(
                id, paymentId: try Self.paymentId(fields),
                amount: try fields.integer("amount", in: 0...MessageDecoder.maxAmount))
            return Self.answer(id, state: .confirming)
        }
        routes.post(":id/release") { request, context in
            let id = try Self.id(context)
            let fields = try await RequestFields(of: request, known: ["paymentId"])
            try await service.store.release(id, paymentId: try Self.paymentId(fields))
            return Self.answer(id)
        }
        routes.post(":id/returned") { request, context in
            let id = try Self.id(context)
            let fields = try await RequestFields(of: request, known: ["paymentId"])
            try await service.store.returned(id, paymentId: try Self.paymentId(fields))
            return Self.answer(id)
        }
        routes.post(":id/sold") { request, context in
            let id = try Self.id(context)
            let fields = try await RequestFields(of: request, known: ["paymentId", "approvedAt"])
            let tickets = try await service.store.sold(
                id, paymentId: try Self.paymentId(fields), approvedAt: try fields.instant("approvedAt"))
            service.metrics.sold.increment()
            var json = JSONWriter()
            json.object { json in
                json.member("id", id)
                json.member("tickets", array: tickets) { $0.value($1) }
            }
            return json.answer()
        }
    }

    private static func id(_ context: ServiceContext) throws -> String {
        try PathId.uuid("id", context, orElse: ReservationStore.unknownReservation)
    }

    private static func paymentId(_ fields: RequestFields) throws -> String {
        try fields.text("paymentId", bytes: 1...maxPaymentIdBytes)
    }

    private static func answer(_ id: String, state: Reservation.State? = nil) -> Response {
        var json = JSONWriter()
        json.object { json in
            json.member("id", id)
            if let state { json.member("state", state.rawValue) }
        }
        return json.answer()
    }
}

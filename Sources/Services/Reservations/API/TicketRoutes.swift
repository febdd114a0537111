import HTTPTypes
import Hummingbird
import NIOCore
import Platform
import Storage

/// `/api/tickets`
struct TicketRoutes: Sendable {
    let service: ReservationService

    func add(to router: Router<ServiceContext>) {
        let tickets = router.group("api/tickets")
            .add(middleware: IdentityMiddleware(service.verifier, roles: [.user, .admin, .analyst]))
        tickets.get(":id") { request, context in
            let ticket = try await own(request, context)
            let payload = try payload(ticket)
            var json = JSONWriter()
            ReservationJSON.write(ticket, payload: payload, to: &json)
            return JSONResponse.make(json, to: request)
        }
        tickets.get(":id/qr") { request, context in
            let ticket = try await own(request, context)
            guard let payload = try payload(ticket) else {
                throw Problem(.conflict, "ticket_void", detail: "it was canceled")
            }
            return Response(
                status: .ok,
                headers: [.contentType: "image/svg+xml", .cacheControl: "private, no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: try QRCode(payload).svg)))
        }
        router.group("api/tickets").add(middleware: IdentityMiddleware(service.verifier, roles: [.admin]))
            .post("check-in") { request, _ in
                _ = try QueryParameters(query: request.uri.query, known: [])
                let fields = try await RequestFields(of: request, known: ["payload", "eventId"])
                let payload = try fields.text("payload", bytes: 1...TicketPayload.maxTextBytes)
                let event = try fields.optionalText("eventId", bytes: 1...PathId.maxEventBytes)
                if let event, !PathId.isEvent(event) { throw fields.invalid("eventId", "is no event's id") }
                var json = JSONWriter()
                ReservationJSON.write(try await service.checkIn.take(payload, to: event), payload: nil, to: &json)
                return json.answer()
            }
    }

    private func own(_ request: Request, _ context: ServiceContext) async throws -> Ticket {
        let identity = try context.signedIn()
        _ = try QueryParameters(query: request.uri.query, known: [])
        guard let ticket = try await service.store.ticket(try PathId.uuid("id", context)),
            identity.role == .admin || identity.subject == ticket.userId
        else { throw Problem(.notFound, "not_found", detail: "there is no such ticket") }
        return ticket
    }

    private func payload(_ ticket: Ticket) throws -> String? {
        ticket.state == .void ? nil : try ticket.payload(service.ticketKey)
    }
}

import HTTPTypes
import Hummingbird
import Platform

/// `/api/seats`: public; a buyer with a token sees which seats are theirs.
struct SeatRoutes: Sendable {
    let service: ReservationService

    private enum View: String, CaseIterable {
        case full, availability
    }

    func add(to router: Router<ServiceContext>) {
        router.get("api/seats/event/:eventId") { request, context in
            let eventId = try PathId.event("eventId", context)
            let parameters = try QueryParameters(query: request.uri.query, known: ["view"])
            let view = try parameters.choice("view", of: View.allCases, default: .full)
            var buyer: String?
            if let authorization = request.headers[.authorization] {
                buyer = try await service.verifier.bearer(authorization, roles: [.user, .admin, .analyst]).subject
            }
            try await service.copies.require(eventId)
            guard let snapshot = try await service.maps.snapshot(eventId, for: buyer) else {
                throw EventCopies.notFound
            }
            return snapshot.text(for: buyer, isCompact: view == .availability).response(to: request)
        }
    }
}

package import Foundation
import Platform

/// What Payments asks where both are of one process: as `InternalRoutes`, without HTTP and its tokens.
extension ReservationService {
    package func internalJSON(_ id: String) async throws -> Data {
        guard let reservation = try await store.find(id) else { throw ReservationStore.unknownReservation }
        return Data(ReservationJSON.internalText(reservation, now: store.clock()).bytes)
    }

    package func confirming(_ id: String, paymentId: String, amount: Int64) async throws {
        try await store.confirming(id, paymentId: paymentId, amount: amount)
    }

    package func release(_ id: String, paymentId: String) async throws {
        try await store.release(id, paymentId: paymentId)
    }

    package func returned(_ id: String, paymentId: String) async throws {
        try await store.returned(id, paymentId: paymentId)
    }

    /// - Returns: the tickets' ids.
    package func sold(_ id: String, paymentId: String, approvedAt: Int64) async throws -> [String] {
        let tickets = try await store.sold(id, paymentId: paymentId, approvedAt: approvedAt)
        metrics.sold.increment()
        return tickets
    }
}

import Core
import Foundation
import Platform
import Storage

extension ReservationStore {
    struct HoldRequest: Sendable {
        var eventId: String
        var buyer: String
        /// Distinct.
        var seatIds: [String]
        var visitorId: String?
        /// An admission token's jti.
        var admissionId: String?
    }

    enum HoldOutcome: Sendable, Equatable {
        case held(id: String, amount: Int64, expiresAt: Int64)
        case unknownEvent
        case salesClosed
        case admissionRequired
        case admissionUsed
        case tooManySeats
        case unknownSeats([String])
        case taken([String])
    }

    /// Holds all of the seats, or none: one round trip.
    func hold(_ request: HoldRequest) async throws -> HoldOutcome {
        let now = clock()
        let expiresAt = now + holdMs
        let id = Self.newId()
        do {
            return try await retrying { connection in
                let row = try connection.query(Self.holdStatement(request, id: id, now: now, expiresAt: expiresAt))[0]
                let seats = try row.get(1, as: [String]?.self) ?? []
                switch try row.get(0, as: String.self) {
                case "held": return .held(id: id, amount: try row.get(2), expiresAt: expiresAt)
                case "unknown_event": return .unknownEvent
                case "sales_closed": return .salesClosed
                case "admission_required": return .admissionRequired
                case "admission_used": return .admissionUsed
                case "too_many_seats": return .tooManySeats
                case "unknown_seats": return .unknownSeats(seats)
                case "seat_taken": return .taken(seats)
                case let other: throw PostgresError(.decoding, "hold_seats says \(other)")
                }
            }
        } catch let error as PostgresError where error.sqlState == Self.takenState {
            return .taken(Self.seats(error))
        } catch let error as PostgresError where error.sqlState == "23505" {
            // Two at once with one token: of what is unique, only that can meet.
            return .admissionUsed
        }
    }

    static func holdStatement(_ request: HoldRequest, id: String, now: Int64, expiresAt: Int64) -> SQL {
        """
        SELECT outcome, seats, amount FROM hold_seats(\(id), \(request.buyer), \(request.visitorId),
            \(request.eventId), \(request.seatIds.sorted()), \(request.admissionId), \(RefundPolicy.v1.json)::jsonb,
            \(PostgresTimestamp(ms: now)), \(PostgresTimestamp(ms: expiresAt)))
        """
    }

    /// Of `claim_seats`: some seats went while it was taking them.
    static let takenState = "TK001"

    static func seats(_ error: PostgresError) -> [String] {
        (try? JSONDecoder().decode([String].self, from: Data((error.detail ?? "").utf8))) ?? []
    }
}

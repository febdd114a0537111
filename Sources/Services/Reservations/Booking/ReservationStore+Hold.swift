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
        case held(Reservation)
        case unknownEvent
        case salesClosed
        case admissionRequired
        case admissionUsed
        case tooManySeats
        /// Of one buyer, over all events, that are not paid.
        case tooManyReservations
        /// Within an hour.
        ///
        /// - againAt: milliseconds since 1970.
        case tooManyHolds(againAt: Int64)
        case unknownSeats([String])
        case taken([String])
    }

    /// Holds all of the seats, or none: one round trip.
    func hold(_ request: HoldRequest) async throws -> HoldOutcome {
        let now = clock()
        let expiresAt = now + holdMs
        let id = Self.newId()
        ReservationCrashPoint.beforeHold.reached()
        do {
            let outcome: HoldOutcome = try await retrying { connection in
                let row = try connection.query(holdStatement(request, id: id, now: now, expiresAt: expiresAt))[0]
                let seats = try row.get(1, as: [String]?.self) ?? []
                switch try row.get(0, as: String.self) {
                case "held": return .held(try Reservation(held: request, id: id, at: now, until: expiresAt, row))
                case "unknown_event": return .unknownEvent
                case "sales_closed": return .salesClosed
                case "admission_required": return .admissionRequired
                case "admission_used": return .admissionUsed
                case "too_many_seats": return .tooManySeats
                case "too_many_reservations": return .tooManyReservations
                case "too_many_holds":
                    return .tooManyHolds(againAt: try row.get(3, as: PostgresTimestamp.self).ms)
                case "unknown_seats": return .unknownSeats(seats)
                case "seat_taken": return .taken(seats)
                case let other: throw PostgresError(.decoding, "take_hold says \(other)")
                }
            }
            if case .held = outcome { ReservationCrashPoint.afterHold.reached() }
            return outcome
        } catch let error as PostgresError where error.sqlState == Self.takenState {
            return .taken(Self.seats(error))
        } catch let error as PostgresError where error.sqlState == "23505" {
            // Two at once with one token: of what is unique, only that can meet.
            return .admissionUsed
        }
    }

    private func holdStatement(_ request: HoldRequest, id: String, now: Int64, expiresAt: Int64) -> SQL {
        """
        SELECT outcome, seats, amount, again_at, held_seats, held_prices, artist_id, currency, title, starts_at
        FROM take_hold(\(id), \(request.buyer), \(request.visitorId), \(request.eventId),
            \(request.seatIds), \(request.admissionId), \(RefundPolicy.v1JSON)::jsonb,
            \(PostgresTimestamp(ms: now)), \(PostgresTimestamp(ms: expiresAt)),
            \(Int32(clamping: maxLiveReservations)), \(Int32(clamping: maxHoldsPerHour)))
        """
    }

    /// Of `claim_seats`: some seats went while it was taking them.
    static let takenState = "TK001"

    static func seats(_ error: PostgresError) -> [String] {
        (try? JSONDecoder().decode([String].self, from: Data((error.detail ?? "").utf8))) ?? []
    }
}

extension Reservation {
    /// What was held just now.
    ///
    /// - Parameter row: of `holdStatement`.
    fileprivate init(
        held request: ReservationStore.HoldRequest, id: String, at now: Int64, until expiresAt: Int64,
        _ row: PostgresRow
    ) throws {
        self.init(
            id: id, eventId: request.eventId, artistId: try row.get(6), userId: request.buyer,
            visitorId: request.visitorId, state: .held, seatIds: try row.get(4), prices: try row.get(5),
            amount: try row.get(2), currency: try row.get(7), expiresAt: expiresAt, policy: RefundPolicy.v1JSON,
            version: 1, createdAt: now, title: try row.get(8), startsAt: try row.get(9, as: PostgresTimestamp.self).ms,
            isEventCanceled: false)
    }
}

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
                case "held":
                    let held = try Reservation(held: request, id: id, at: now, until: expiresAt, row)
                    if let held { return .held(held) }
                    // The copy of the event has changed in this moment.
                    guard let found = try Reservation.find(id, on: connection) else { throw Self.notFound }
                    return .held(found)
                case "unknown_event": return .unknownEvent
                case "sales_closed": return .salesClosed
                case "admission_required": return .admissionRequired
                case "admission_used": return .admissionUsed
                case "too_many_seats": return .tooManySeats
                case "too_many_reservations": return .tooManyReservations
                case "too_many_holds":
                    return .tooManyHolds(againAt: try row.get(8, as: PostgresTimestamp.self).ms)
                case "unknown_seats": return .unknownSeats(seats)
                case "seat_taken": return .taken(seats)
                case let other: throw PostgresError(.decoding, "hold_seats says \(other)")
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

    /// With what the event and its seats say, so that what was held can be told without asking again.
    private func holdStatement(_ request: HoldRequest, id: String, now: Int64, expiresAt: Int64) -> SQL {
        """
        SELECT h.outcome, h.seats, h.amount, e.artist_id, e.currency, e.title, e.starts_at,
            (SELECT array_agg((SELECT s.price FROM seats s WHERE s.event_id = e.event_id AND s.seat_id = w.seat)
                ORDER BY w.seat) FROM unnest(\(request.seatIds)) AS w (seat)),
            h.again_at
        FROM hold_seats(\(id), \(request.buyer), \(request.visitorId), \(request.eventId),
                \(request.seatIds.sorted()), \(request.admissionId), \(RefundPolicy.v1.json)::jsonb,
                \(PostgresTimestamp(ms: now)), \(PostgresTimestamp(ms: expiresAt)),
                \(Int32(clamping: maxLiveReservations)), \(Int32(clamping: maxHoldsPerHour))) h
            LEFT JOIN events e ON e.event_id = \(request.eventId)
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
    /// - Returns: nil where the row has other prices than those that were held at.
    fileprivate init?(
        held request: ReservationStore.HoldRequest, id: String, at now: Int64, until expiresAt: Int64,
        _ row: PostgresRow
    ) throws {
        let amount: Int64 = try row.get(2)
        guard let prices = try row.get(7, as: [Int64]?.self), prices.reduce(0, +) == amount else { return nil }
        self.init(
            id: id, eventId: request.eventId, artistId: try row.get(3), userId: request.buyer,
            visitorId: request.visitorId, state: .held, seatIds: request.seatIds.sorted(), prices: prices,
            amount: amount, currency: try row.get(4), expiresAt: expiresAt, policy: RefundPolicy.v1.json, version: 1,
            createdAt: now, title: try row.get(5), startsAt: try row.get(6, as: PostgresTimestamp.self).ms,
            isEventCanceled: false)
    }
}

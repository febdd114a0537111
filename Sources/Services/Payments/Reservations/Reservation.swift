import Core

/// What Reservations says of a reservation: all that a payment takes from it.
struct Reservation: Decodable, Equatable, Sendable {
    var id: String
    var userId: String
    var eventId: String
    var artistId: String
    var title: String
    var state: String
    var amount: Int64
    var currency: String
    var tickets: Int64
    /// ISO 8601 with offset.
    var expiresAt: String?
    var visitorId: String?

    /// Milliseconds since 1970.
    var expires: Int64? { expiresAt.flatMap { Instant.parse($0) } }
}

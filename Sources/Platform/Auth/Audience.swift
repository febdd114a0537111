/// The services that a token may be meant for: each takes only those that name it.
package enum Audience: String, CaseIterable, Sendable {
    case analytics = "tiketi-analytics"
    case users = "tiketi-users"
    case events = "tiketi-events"
    case reservations = "tiketi-reservations"
    case payments = "tiketi-payments"
    case queue = "tiketi-queue"
    case admin = "tiketi-admin"
    case media = "tiketi-media"
}

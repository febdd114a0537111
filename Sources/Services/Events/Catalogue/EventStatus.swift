/// Where an event stands at an instant. Not stored: it follows from time, from the organiser's decision and from the
/// seats that are left.
package enum EventStatus: String, CaseIterable, Sendable {
    /// Sales have not opened yet.
    case upcoming
    case onSale = "on_sale"
    case soldOut = "sold_out"
    /// Sales are over: none outlasts the event.
    case ended
    case canceled

    /// All instants in milliseconds since 1970.
    package init(now: Int64, salesOpenAt: Int64, salesCloseAt: Int64, isSoldOut: Bool, isCanceled: Bool) {
        if isCanceled {
            self = .canceled
        } else if now >= salesCloseAt {
            self = .ended
        } else if isSoldOut {
            self = .soldOut
        } else {
            self = now < salesOpenAt ? .upcoming : .onSale
        }
    }

    /// The instant from which it may be another by time alone, later than now; nil where it stays.
    package static func nextChange(now: Int64, salesOpenAt: Int64, salesCloseAt: Int64, isCanceled: Bool) -> Int64? {
        isCanceled ? nil : [salesOpenAt, salesCloseAt].first { $0 > now }
    }
}

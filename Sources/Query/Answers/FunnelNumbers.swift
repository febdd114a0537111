import Platform

/// The steps to a ticket, in their order. Each counts what happened in its bucket: views and payments, not people.
package struct FunnelNumbers: Equatable, Sendable {
    package var views: Int64 = 0
    package var seatViews: Int64 = 0
    package var reservations: Int64 = 0
    package var payments: Int64 = 0

    /// Payments for each view, in tenths of a percent; nil without views.
    package var conversion: Int64? { views > 0 ? Rounded.quotient(payments * 1000, views) : nil }

    static func += (left: inout FunnelNumbers, right: FunnelNumbers) {
        left.views += right.views
        left.seatViews += right.seatViews
        left.reservations += right.reservations
        left.payments += right.payments
    }

    func write(to json: inout JSONWriter) {
        json.member("views", views)
        json.member("seatViews", seatViews)
        json.member("reservations", reservations)
        json.member("payments", payments)
    }
}

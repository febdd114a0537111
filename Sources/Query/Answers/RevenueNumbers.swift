/// What one bucket of a revenue answer says. Minor units.
package struct RevenueNumbers: Equatable, Sendable {
    package var gross: Int64 = 0
    package var refunds: Int64 = 0
    package var orders: Int64 = 0
    package var tickets: Int64 = 0
    package var refundedTickets: Int64 = 0

    package var revenue: Int64 { gross - refunds }
    /// Net of those refunded.
    package var ticketsSold: Int64 { tickets - refundedTickets }
    /// Rounded half up; nil where no ticket stayed sold.
    package var avgTicketPrice: Int64? { ticketsSold > 0 ? Rounded.quotient(revenue, ticketsSold) : nil }

    static func += (left: inout RevenueNumbers, right: RevenueNumbers) {
        left.gross += right.gross
        left.refunds += right.refunds
        left.orders += right.orders
        left.tickets += right.tickets
        left.refundedTickets += right.refundedTickets
    }
}

import Platform

/// How many different visitors came to each step. Each is counted where his step is: who looked on Monday and paid on
/// Tuesday is a viewer of Monday and a payer of Tuesday, and both of the week.
package struct FunnelVisitors: Equatable, Sendable {
    /// Of page views or seat views.
    package var viewers: Int64 = 0
    package var seatViewers: Int64 = 0
    package var reservers: Int64 = 0
    package var payers: Int64 = 0
    /// Those among the reservations and payments that don't say whose they are: they are in no number above.
    package var reservationsWithoutVisitor: Int64 = 0
    package var paymentsWithoutVisitor: Int64 = 0

    /// Payers for each viewer, in tenths of a percent; nil without viewers.
    package var conversion: Int64? { viewers > 0 ? Rounded.quotient(payers * 1000, viewers) : nil }

    /// The members of `visitors`, each null where they are unknown.
    static func write(_ visitors: FunnelVisitors?, to json: inout JSONWriter) {
        json.member("viewers", visitors?.viewers)
        json.member("seatViewers", visitors?.seatViewers)
        json.member("reservers", visitors?.reservers)
        json.member("payers", visitors?.payers)
        json.member("reservationsWithoutVisitor", visitors?.reservationsWithoutVisitor)
        json.member("paymentsWithoutVisitor", visitors?.paymentsWithoutVisitor)
    }
}

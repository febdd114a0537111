import Core

/// Who came to each step, to be merged over days.
struct FunnelSketches {
    var viewers = VisitorSketch()
    var seatViewers = VisitorSketch()
    var reservers = VisitorSketch()
    var payers = VisitorSketch()
    var reservationsWithoutVisitor: Int64 = 0
    var paymentsWithoutVisitor: Int64 = 0

    mutating func merge(_ other: FunnelSketches) {
        viewers.merge(other.viewers)
        seatViewers.merge(other.seatViewers)
        reservers.merge(other.reservers)
        payers.merge(other.payers)
        reservationsWithoutVisitor += other.reservationsWithoutVisitor
        paymentsWithoutVisitor += other.paymentsWithoutVisitor
    }

    /// - Parameter numbers: what happened in the same stretch: a step has at most as many visitors.
    func visitors(of numbers: FunnelNumbers) -> FunnelVisitors {
        FunnelVisitors(
            viewers: min(Int64(viewers.value), numbers.views + numbers.seatViews),
            seatViewers: min(Int64(seatViewers.value), numbers.seatViews),
            reservers: min(Int64(reservers.value), numbers.reservations - reservationsWithoutVisitor),
            payers: min(Int64(payers.value), numbers.payments - paymentsWithoutVisitor),
            reservationsWithoutVisitor: reservationsWithoutVisitor, paymentsWithoutVisitor: paymentsWithoutVisitor)
    }
}

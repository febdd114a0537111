import Core
import Storage

/// What the stored hours of a day add up to, by entity.
struct DayTotals {
    var entities = EntityTable()
    private var cells: [TrafficCell] = []

    /// Empty for an entity without hours.
    subscript(entity: Int32) -> TrafficCell { Int(entity) < cells.count ? cells[Int(entity)] : TrafficCell() }

    /// Those of a family that have hours.
    func entities(of family: TrafficFamily) -> [Int32] {
        cells.indices.map(Int32.init).filter { !self[$0].isEmpty && entities[$0].family == family }
    }

    /// Adds an hour; false where `visitors` is no sketch. Sums that are too large are those of hours that don't agree.
    mutating func add(
        _ entity: Int32, pageViews: Int64, seatViews: Int64, beacons: Int64, sessions: Int64, sessionMs: Int64,
        visitors: UnsafeRawBufferPointer
    ) -> Bool {
        while cells.count <= Int(entity) { cells.append(TrafficCell()) }
        cells[Int(entity)].pageViews &+= pageViews
        cells[Int(entity)].seatViews &+= seatViews
        cells[Int(entity)].beacons &+= beacons
        cells[Int(entity)].sessions &+= sessions
        cells[Int(entity)].sessionMs &+= sessionMs
        return (try? cells[Int(entity)].visitors.merge(bytes: visitors)) != nil
    }
}

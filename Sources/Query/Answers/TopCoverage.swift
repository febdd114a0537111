import Platform

/// How much of the whole a ranking's values account for.
///
/// All values, those below the limit too, `missing` and `remainder` add up to `total`. Visitors don't: one may come with
/// several values.
package struct TopCoverage: Equatable, Sendable {
    /// Every value is counted in full; else each number is a lower bound.
    package var isExact: Bool
    /// Of the whole range.
    package var total: Int64
    /// Of beacons without a value.
    package var missing: Int64
    /// Of values that are not kept apart on their day: some may be of values with a row, some of others.
    package var remainder: Int64

    func write(to json: inout JSONWriter) {
        json.member("exact", isExact)
        json.member("total", total)
        json.member("missing", missing)
        json.member("remainder", remainder)
    }
}

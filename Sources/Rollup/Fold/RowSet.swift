/// Rows of one batch.
struct RowSet {
    private var bits: [UInt64]

    /// - Precondition: every row is below `count`, and not negative.
    init(_ rows: [Int32], of count: Int) {
        bits = rows.isEmpty ? [] : [UInt64](repeating: 0, count: (count + 63) / 64)
        for row in rows { bits[Int(row) >> 6] |= 1 << UInt64(row & 63) }
    }

    func contains(_ row: Int) -> Bool {
        !bits.isEmpty && bits[row >> 6] & (1 << UInt64(row & 63)) != 0
    }
}

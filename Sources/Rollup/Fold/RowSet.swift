/// Rows of one batch.
struct RowSet {
    private var bits: [UInt64]

    /// - Precondition: every row is below `count`, and not negative.
    init(_ rows: [Int32], of count: Int) {
        bits = rows.isEmpty ? [] : [UInt64](repeating: 0, count: (count + 63) / 64)
        for row in rows { bits[Int(row) >> 6] |= 1 << UInt64(row & 63) }
    }

    /// Nil where one of them is no row of a batch of `count`: recorded ones may be any.
    init?(recorded rows: [Int32], of count: Int) {
        guard rows.allSatisfy({ $0 >= 0 && $0 < count }) else { return nil }
        self.init(rows, of: count)
    }

    func contains(_ row: Int) -> Bool {
        !bits.isEmpty && bits[row >> 6] & (1 << UInt64(row & 63)) != 0
    }
}

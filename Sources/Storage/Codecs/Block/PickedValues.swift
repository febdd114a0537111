/// The values that some rows of a text column have, and the rows' codes once the column has no others.
struct PickedValues {
    /// Values, from 0, ascending.
    private(set) var values: [Int] = []
    private(set) var codes: [UInt32]

    /// - Parameter highest: the highest code.
    init(_ codes: [UInt32], rows: [Int], highest: UInt32) {
        // By code, first whether it is picked, then its new code.
        var renumbered = [UInt32](repeating: 0, count: Int(highest) + 1)
        for row in rows { renumbered[Int(codes[row])] = 1 }
        for code in renumbered.indices.dropFirst() where renumbered[code] == 1 {
            values.append(code - 1)
            renumbered[code] = UInt32(values.count)
        }
        renumbered[0] = 0
        self.codes = rows.map { renumbered[Int(codes[$0])] }
    }
}

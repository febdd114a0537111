/// The values that some rows of a text column have, and the rows' codes once the column has no others.
struct PickedValues {
    /// Values, from 0, ascending.
    private(set) var values: [Int] = []
    private(set) var codes: [UInt32]

    /// - Parameter highest: the highest code.
    init(_ codes: [UInt32], rows: [Int], highest: UInt32) {
        // Of a few rows, by looking for their codes among those; else by a table of all codes.
        guard rows.count >= Int(highest) / 16 else {
            let all = rows.map { codes[$0] }
            let distinct = Set(all).subtracting([0]).sorted()
            values = distinct.map { Int($0) - 1 }
            let places = Dictionary(uniqueKeysWithValues: zip(distinct, 1...))
            self.codes = all.map { UInt32(places[$0] ?? 0) }
            return
        }
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

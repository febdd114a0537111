import Core

/// Small numbers for what beacons' texts count as, by dimension, with the site's row of each.
struct ValueNumbers {
    struct Value {
        var hash: UInt64
        /// The hash of the site's row that it is part of.
        var siteRow: UInt64
        /// The row's number where its sketch has registers; else -1.
        var siteNumber: Int32
        /// Where the site has no row of it: that which it would have; else 0.
        var siteOther: UInt64
    }

    /// Where a day has more than this, the exact comparison counts them part by part.
    static let maxValues = 2_000_000
    /// What is known of referrers and agents at a time.
    private static let maxKnown = 100_000

    private var values: [[Value]] = Dimension.allCases.map { _ in [] }
    private var numbers: [HashIndex] = Dimension.allCases.map { _ in HashIndex() }
    /// What a referrer's or an agent's text counts as, by its hash: finding that takes longer than all else.
    private var known: [Dimension: [UInt64: UInt64]] = [:]

    var isBounded: Bool { values.allSatisfy { $0.count <= Self.maxValues } }

    @inline(__always)
    subscript(dimension: Int, number: Int32) -> Value { values[dimension][Int(number)] }

    /// What each code of a column counts as, from 0 for null.
    mutating func numbers(
        of column: TextColumn, _ dimension: Dimension, _ site: UInt64, _ lists: BreakdownLists,
        _ siteNumber: Int32, _ sketches: SketchProof
    ) -> [Int32] {
        let place = Int(dimension.rawValue)
        return hashes(dimension, column).map { hash in
            if let known = numbers[place][hash] { return known }
            let number = Int32(values[place].count)
            _ = numbers[place].insert(hash, number)
            var row = RowHash.value(site, place, hash)
            var other: UInt64 = 0
            if lists.isCut(siteNumber, place), lists.isOther(hash, row) {
                other = row
                row = RowHash.value(site, place, RowHash.remainder)
            }
            values[place].append(
                Value(hash: hash, siteRow: row, siteNumber: sketches.number(of: row) ?? -1, siteOther: other))
            return number
        }
    }

    private mutating func hashes(_ dimension: Dimension, _ column: TextColumn) -> [UInt64] {
        let hashes = column.bytes.withUnsafeBytes { bytes in
            (0..<column.valueCount).map {
                Murmur3.hash64(UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: $0)]))
            }
        }
        func value(_ text: String?) -> UInt64 {
            dimension.value(text).map { Murmur3.hash64($0) } ?? RowHash.missing
        }
        guard dimension == .referrer || dimension == .device else {
            return column.bytes.withUnsafeBytes { bytes in
                [RowHash.missing]
                    + hashes.indices.map { index in
                        // A text that counts as itself needn't be made one.
                        BreakdownValue.isKept(UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: index)]))
                            ? hashes[index] : value(column.string(ofValue: index))
                    }
            }
        }
        var known = known.removeValue(forKey: dimension) ?? [:]
        if known.count > Self.maxKnown { known = [:] }
        let values = hashes.indices.map { index in
            if let value = known[hashes[index]] { return value }
            let value = value(column.string(ofValue: index))
            known[hashes[index]] = value
            return value
        }
        self.known[dimension] = known
        return [value(nil)] + values
    }
}

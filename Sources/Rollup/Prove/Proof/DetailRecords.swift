/// Records dealt out to parts, as many of a part at a time as make it worth while to fetch what it has into the caches.
struct DetailRecords {
    static let parts = 256
    /// Of one part, before it takes them.
    static let maxRecords = 2048

    private var records = [DetailPart.Record](
        repeating: DetailPart.Record(list: 0, value: 0, visitor: 0), count: parts * maxRecords)
    private var counts = [Int](repeating: 0, count: parts)

    static func part(of list: UInt64) -> Int { Int(truncatingIfNeeded: list >> 56) }

    /// Returns the part that has to take its records before it can have more.
    mutating func append(_ record: DetailPart.Record) -> Int? {
        let part = Self.part(of: record.list)
        records[part * Self.maxRecords + counts[part]] = record
        counts[part] += 1
        return counts[part] == Self.maxRecords ? part : nil
    }

    /// Those of a part. To be let go of before another is appended, which would copy all of them.
    subscript(part: Int) -> ArraySlice<DetailPart.Record> {
        records[part * Self.maxRecords..<part * Self.maxRecords + counts[part]]
    }

    mutating func remove(_ part: Int) { counts[part] = 0 }
}

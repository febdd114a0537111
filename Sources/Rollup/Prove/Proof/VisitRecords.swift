import Core

/// What neighbouring beacons of one visitor say of rows, dealt out by groups of visitors, as many of some groups at a time
/// as make it worth while to look at these.
struct VisitRecords {
    /// Which rows a record is of.
    struct Rows: OptionSet, BitwiseCopyable {
        let rawValue: UInt8

        /// Those of the hour and the day of its entities.
        static let traffic = Rows(rawValue: 1 << 5)
        static let viewers = Rows(rawValue: 1 << 6)
        static let seatViewers = Rows(rawValue: 1 << 7)

        /// That of a value, of its artist and of the site.
        static func value(_ dimension: Int) -> Rows { Rows(rawValue: 1 << UInt8(dimension)) }

        /// How many rows they are at most: hours and days of three entities, two of each value.
        var maxCount: Int { rawValue.nonzeroBitCount * 2 + (contains(.traffic) ? 4 : 0) }
    }

    struct Record: BitwiseCopyable {
        var visitor: UInt64 = 0
        /// Entities' numbers, -1 for none.
        var artist: Int32 = -1
        var event: Int32 = -1
        /// The numbers of values, by dimension.
        var values = (Int32(0), Int32(0), Int32(0), Int32(0), Int32(0))
        var hour: UInt8 = 0
        var rows: Rows = []
        /// The dimensions in which the artist has no row of the value's own.
        var others: UInt8 = 0
    }

    static let parts = 128
    static let groupsOfPart = SketchProof.groups / parts
    /// Of one part, before they are taken.
    static let maxRecords = 4096

    private var records = [Record](repeating: Record(), count: parts * maxRecords)
    private var counts = [Int](repeating: 0, count: parts)

    /// Returns the part whose records have to be taken before it can have more.
    @inline(__always)
    mutating func append(_ record: Record) -> Int? {
        let part = SketchProof.group(of: record.visitor) / Self.groupsOfPart
        records[part * Self.maxRecords + counts[part]] = record
        counts[part] += 1
        return counts[part] == Self.maxRecords ? part : nil
    }

    /// Those of a part, group by group, and where each group ends. The part has none afterwards.
    mutating func take(_ part: Int) -> (records: [Record], ends: [Int]) {
        let start = part * Self.maxRecords
        let range = start..<start + counts[part]
        counts[part] = 0
        var starts = [Int](repeating: 0, count: Self.groupsOfPart + 1)
        for index in range { starts[SketchProof.group(of: records[index].visitor) % Self.groupsOfPart + 1] += 1 }
        for group in 0..<Self.groupsOfPart { starts[group + 1] += starts[group] }
        var taken = [Record](repeating: Record(), count: range.count)
        // Here starts move to the ends as the records are dealt out.
        for index in range {
            let group = SketchProof.group(of: records[index].visitor) % Self.groupsOfPart
            taken[starts[group]] = records[index]
            starts[group] += 1
        }
        starts.removeLast()
        return (taken, starts)
    }
}

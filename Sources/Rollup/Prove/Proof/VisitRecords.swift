import Core

/// What neighbouring beacons of one visitor say of rows, dealt out by groups of visitors, as many of some groups at a time
/// as make it worth while to look at these.
struct VisitRecords {
    static let dimensions = 5

    /// Which rows a visitor was seen in.
    struct Rows: OptionSet, BitwiseCopyable {
        let rawValue: UInt32

        static let siteDay = Rows(rawValue: 1)
        static let siteHour = Rows(rawValue: 1 << 1)
        static let artistDay = Rows(rawValue: 1 << 2)
        static let artistHour = Rows(rawValue: 1 << 3)
        static let eventDay = Rows(rawValue: 1 << 4)
        static let eventHour = Rows(rawValue: 1 << 5)
        static let viewers = Rows(rawValue: 1 << 6)
        static let seatViewers = Rows(rawValue: 1 << 7)

        static func siteValue(_ dimension: Int) -> Rows { Rows(rawValue: 1 << UInt32(8 + dimension)) }
        static func artistValue(_ dimension: Int) -> Rows { Rows(rawValue: 1 << UInt32(13 + dimension)) }

        static let traffic = Rows(rawValue: 0x3f)
        static let values = Rows(rawValue: 0x3ff << 8)
        static let ofArtist: Rows = [artistDay, artistHour, Rows(rawValue: 0x1f << 13)]
        static let ofEvent: Rows = [eventDay, eventHour, viewers, seatViewers]
        static let maxCount = 18

        init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Those of an event's funnel.
        @inline(__always)
        init(funnelOf kind: CountedBeacons.Kind) {
            switch kind {
            case .pageView: self = .viewers
            case .seatView: self = [.viewers, .seatViewers]
            case .other: self = []
            }
        }
    }

    /// What a beacon says of its visitor.
    struct Record: BitwiseCopyable {
        var visitor: UInt64 = 0
        /// Entities' numbers, -1 for none.
        var artist: Int32 = -1
        var event: Int32 = -1
        /// The numbers of values, by dimension.
        var values: InlineArray<5, Int32> = .init(repeating: 0)
        /// What it says and those before it did not.
        var rows: Rows = []
        /// By dimension, whether the value has no row of the site's, and 5 bits further, of the artist's.
        var others: UInt16 = 0
        var hour: UInt8 = 0
        private var funnelBits: UInt8 = 0

        init() {}

        init(visitor: UInt64, artist: Int32, event: Int32, hour: UInt8) {
            (self.visitor, self.artist, self.event, self.hour) = (visitor, artist, event, hour)
        }

        /// What is known of the visitor and the event.
        var funnel: Rows {
            get { Rows(rawValue: UInt32(funnelBits)) }
            set { funnelBits = UInt8(truncatingIfNeeded: newValue.rawValue) }
        }

        @inline(__always)
        func isArtistOther(_ dimension: Int) -> Bool { others & VisitRecords.artistOther(dimension) != 0 }

        /// In which rows another beacon of the same visitor shows it, too.
        @inline(__always)
        func rows(sharedWith other: Record) -> Rows {
            var equal: UInt32 = 0
            for dimension in 0..<VisitRecords.dimensions {
                equal |= (values[dimension] == other.values[dimension] ? 1 : 0) << UInt32(dimension)
            }
            // Those without a row of their own have one together.
            let others = UInt32(others & other.others)
            var shared: UInt32 = Rows.siteDay.rawValue | (equal | others & 0x1f) << 8
            let hours: UInt32 = hour == other.hour ? 1 : 0
            shared |= hours * Rows.siteHour.rawValue
            if artist == other.artist {
                shared |= Rows.artistDay.rawValue | hours * Rows.artistHour.rawValue | (equal | others >> 5) << 13
            }
            if event == other.event {
                shared |= Rows.eventDay.rawValue | hours * Rows.eventHour.rawValue | UInt32(other.funnelBits)
            }
            return Rows(rawValue: shared)
        }
    }

    static func siteOther(_ dimension: Int) -> UInt16 { 1 << UInt16(dimension) }
    static func artistOther(_ dimension: Int) -> UInt16 { 1 << UInt16(5 + dimension) }

    static let parts = 128
    static let groupsOfPart = SketchProof.groups / parts
    /// Visitors of a group are told apart by further bits, as many as leave a few records in a bucket.
    static let bucketsOfGroup = 32
    /// Of one part, before they are taken.
    static let maxRecords = 8192

    private var records: [Record] = []
    private var counts = [Int](repeating: 0, count: parts)

    /// Without room for any.
    init() {}

    /// Forgets all that were not taken.
    mutating func removeAll() {
        if records.isEmpty { records = [Record](repeating: Record(), count: Self.parts * Self.maxRecords) }
        for part in counts.indices { counts[part] = 0 }
    }

    /// Returns the part whose records have to be taken before it can have more.
    @inline(__always)
    mutating func append(_ record: Record) -> Int? {
        let part = SketchProof.group(of: record.visitor) / Self.groupsOfPart
        records[part * Self.maxRecords + counts[part]] = record
        counts[part] += 1
        return counts[part] == Self.maxRecords ? part : nil
    }

    @inline(__always)
    private static func bucket(of visitor: UInt64) -> Int {
        let group = SketchProof.group(of: visitor) % groupsOfPart
        return group * bucketsOfGroup + Int(truncatingIfNeeded: visitor >> 13) % bucketsOfGroup
    }

    /// Those of a part, group by group and bucket by bucket, and where each bucket ends. The part has none afterwards.
    mutating func take(_ part: Int) -> (records: [Record], ends: [Int]) {
        let start = part * Self.maxRecords
        let range = start..<start + counts[part]
        counts[part] = 0
        var starts = [Int](repeating: 0, count: Self.groupsOfPart * Self.bucketsOfGroup + 1)
        for index in range { starts[Self.bucket(of: records[index].visitor) + 1] += 1 }
        for bucket in 1..<starts.count { starts[bucket] += starts[bucket - 1] }
        var taken = [Record](repeating: Record(), count: range.count)
        // Here starts move to the ends as the records are dealt out.
        for index in range {
            let bucket = Self.bucket(of: records[index].visitor)
            taken[starts[bucket]] = records[index]
            starts[bucket] += 1
        }
        starts.removeLast()
        return (taken, starts)
    }
}

/// What stands for a stored row, and for its numbers, in sums that are compared instead of rows.
///
/// Equal sums modulo 2⁶⁴ are equal rows, but for a chance that is rarer than a lost disk: of each process anew, since what it
/// rests on is drawn when the process starts. Hashes of rows and what numbers are multiplied by are odd, so that a single
/// number that differs always shows.
enum RowHash {
    private static let ofPageViews = UInt64.random(in: 0 ... .max) | 1
    private static let ofSeatViews = UInt64.random(in: 0 ... .max) | 1
    private static let ofSessions = UInt64.random(in: 0 ... .max) | 1
    private static let ofMilliseconds = UInt64.random(in: 0 ... .max) | 1

    /// What stands for no value, and for all those without a row: no text has these hashes but by such a chance. Texts have
    /// Murmur3's, by which those of equal counts are put in order too; whoever sends them can choose it.
    static let missing = UInt64.random(in: 0 ... .max)
    static let remainder = UInt64.random(in: 0 ... .max)

    static func mixed(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        return hash ^ hash >> 32
    }

    // MARK: Rows

    /// - Parameter hour: from the day's first, 0.
    static func hour(_ entity: UInt64, _ hour: Int) -> UInt64 {
        mixed(entity &+ UInt64(truncatingIfNeeded: hour + 1) &* 0x9e37_79b9_7f4a_7c15) | 1
    }

    static func day(_ entity: UInt64) -> UInt64 { mixed(entity &+ 0x6461_7900_0000_0000) | 1 }

    static func value(_ artist: UInt64, _ dimension: Int, _ value: UInt64) -> UInt64 {
        mixed((artist &+ UInt64(truncatingIfNeeded: dimension + 1) &* 0xc2b2_ae3d_27d4_eb4f) ^ value) | 1
    }

    static func viewers(_ event: UInt64) -> UInt64 { mixed(event &+ 0x7669_6577_6572_7300) | 1 }
    static func seatViewers(_ event: UInt64) -> UInt64 { mixed(event &+ 0x7365_6174_7300_0000) | 1 }

    // MARK: What a row has

    /// Its counts as one number, which is added up as they are.
    static func counts(pageViews: Int64, seatViews: Int64, beacons: Int64) -> UInt64 {
        UInt64(bitPattern: beacons) &+ UInt64(bitPattern: pageViews) &* ofPageViews
            &+ UInt64(bitPattern: seatViews) &* ofSeatViews
    }

    /// Of one beacon.
    @inline(__always)
    static func counts(of kind: CountedBeacons.Kind) -> UInt64 {
        switch kind {
        case .pageView: counts(pageViews: 1, seatViews: 0, beacons: 1)
        case .seatView: counts(pageViews: 0, seatViews: 1, beacons: 1)
        case .other: counts(pageViews: 0, seatViews: 0, beacons: 1)
        }
    }

    /// What a row without seat views has.
    @inline(__always)
    static func counts(_ sum: BeaconSum) -> UInt64 {
        counts(pageViews: sum.pageViews, seatViews: 0, beacons: sum.beacons)
    }

    static func sessions(_ count: Int64, milliseconds: Int64) -> UInt64 {
        UInt64(bitPattern: count) &* ofSessions &+ UInt64(bitPattern: milliseconds) &* ofMilliseconds
    }

    static func visitor(_ row: UInt64, _ visitor: UInt64) -> UInt64 {
        mixed(row ^ visitor &* 0x9fb2_1c65_1e98_df25)
    }

    static func register(_ row: UInt64, _ index: Int, _ value: UInt8) -> UInt64 {
        mixed(row &+ (UInt64(truncatingIfNeeded: index) << 8 | UInt64(value)) &* 0xe703_7ed1_a0b4_28db)
    }
}

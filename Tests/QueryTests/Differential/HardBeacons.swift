import Core
import TestSupport

/// Two weeks of beacons about the end of a month that meet every rule: late ones and ones that claim the future, repeats
/// in the same batch, in others and days later, sessions across hours and midnight, gaps of just 30 minutes.
struct HardBeacons {
    /// One beacon, its texts as numbers; -1 for none. A million of them are made in a debug build.
    struct Sent: BitwiseCopyable {
        var receivedAt: Int64
        /// Of a stamped one that of receipt.
        var claimed: Int64
        var isStamped = false
        var isAnonymous = false
        var type: Int32
        var artist: Int32
        var event: Int32
        var visitor: Int32 = -1
        var session: Int32 = -1
        var client: Int32 = -1
        var message: Int32 = -1

        var timestamp: Int64 { claimed < receivedAt ? claimed : receivedAt }
    }

    /// 2025-11-24T00:00+09:00, and a week later the month ends.
    static let start: Int64 = 1_763_910_000_000
    static let days = 14
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000
    static let artistCount = 40

    private var generator: SeededGenerator
    private let visitorCount: Int
    private var visits: Int32 = 0
    private var messages: Int32 = 0
    private(set) var sent: [Sent] = []

    init(_ count: Int, _ generator: SeededGenerator) {
        self.generator = generator
        visitorCount = max(20, count / 8)
        sent.reserveCapacity(count)
        while sent.count < count { addVisit(upTo: count) }
    }

    mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: generator.next() % UInt64(bound)) }
    private mutating func below(_ bound: Int64) -> Int64 { Int64(below(Int(bound))) }

    private mutating func addVisit(upTo count: Int) {
        visits += 1
        var beacon = Sent(receivedAt: 0, claimed: 0, type: 0, artist: 0, event: 0)
        let visitor = Int32(below(visitorCount))
        switch below(20) {
        case 0: break
        case 1: beacon.isAnonymous = true
        case 2, 3: beacon.client = visitor
        case 4: beacon.session = visits
        case 5...8: beacon.visitor = visitor
        // One visitor's id is another's session.
        case 9:
            (beacon.visitor, beacon.session) = (visitor, visits % 50 == 0 ? -2 - Int32(below(visitorCount)) : visits)
        default: (beacon.visitor, beacon.session) = (visitor, visits)
        }
        look(&beacon)
        var instant = Self.start + below(Int64(Self.days) * Self.day)
        if below(30) == 0 {
            // Late in the evening.
            let midnight = instant - (instant - Self.start) % Self.day + Self.day
            instant = midnight - 1 - below(20 * Self.minute)
        }
        var left = 1 + below(4) + (below(8) == 0 ? below(12) : 0)
        while left > 0, sent.count < count {
            add(&beacon, at: instant)
            if below(9) == 0, sent.count < count { repeatOne() }
            if below(6) == 0 { look(&beacon) }
            instant += gap()
            left -= 1
        }
    }

    private mutating func gap() -> Int64 {
        switch below(12) {
        case 0: 30 * Self.minute
        case 1: 30 * Self.minute - 1
        case 2: 30 * Self.minute + 1
        case 3: 0
        case 4: below(Self.hour)
        default: below(5 * Self.minute)
        }
    }

    /// At another artist, event or page: few are looked at by most.
    private mutating func look(_ beacon: inout Sent) {
        let artist = min(below(Self.artistCount), below(Self.artistCount), below(Self.artistCount))
        beacon.artist = below(10) == 0 ? -1 : Int32(artist)
        beacon.event = below(3) == 0 ? -1 : Int32(artist * 2 + below(2))
        beacon.type = Int32(below(HardTexts.types.count))
    }

    private mutating func add(_ beacon: inout Sent, at instant: Int64) {
        beacon.claimed = instant
        beacon.receivedAt = instant + below(2000)
        beacon.isStamped = false
        switch below(20) {
        case 0: beacon.receivedAt += below(3 * Self.day)
        case 1:
            beacon.receivedAt = instant
            beacon.claimed += 1 + below(10 * Self.minute)
        case 2, 3:
            beacon.isStamped = true
            beacon.claimed = beacon.receivedAt
        default: break
        }
        beacon.message = -1
        if below(5) > 0 {
            beacon.message = messages
            messages += 1
        }
        sent.append(beacon)
    }

    /// Sends one of those before once more, or something that is hardly to be told from that.
    private mutating func repeatOne() {
        var beacon = sent[below(sent.count)]
        guard beacon.message >= 0 else { return }
        if beacon.isStamped {
            switch below(6) {
            case 0: beacon.receivedAt += Self.day
            case 1: beacon.receivedAt += Self.day - 1
            case 2: beacon.receivedAt += Self.day + 1
            case 3: beacon.receivedAt += below(3 * Self.day)
            case 4: break
            default: beacon.receivedAt += below(Self.hour)
            }
            beacon.claimed = beacon.receivedAt
        } else {
            switch below(8) {
            case 0: break
            case 1, 2: beacon.receivedAt += below(5 * Self.day)
            default: beacon.receivedAt += below(Self.hour)
            }
            switch below(20) {
            // Another beacon that bears the same id.
            case 0: beacon.claimed -= Self.minute
            // Within the minute: a repeat.
            case 1: beacon.claimed -= beacon.claimed % Self.minute
            // What came without a time is not what came with one.
            case 2:
                beacon.isStamped = true
                beacon.claimed = beacon.receivedAt
            default: break
            }
        }
        // The first that comes counts, with what it says.
        if below(10) == 0 { look(&beacon) }
        sent.append(beacon)
    }

    /// The beacons by the batch that brings them: three nodes, of which each ships what it received in some hours.
    ///
    /// - Returns: positions in `sent`.
    mutating func batches() -> [[Int32]] {
        // No batch has more than a block takes, and there are some however few beacons there are.
        let width = Int64(Self.days) * Self.day * 28_000 / Int64(max(sent.count, 560_000))
        var batches: [[Int32]] = []
        for index in sent.indices {
            let node = [0, 0, 0, 0, 0, 0, 0, 1, 1, 2][below(10)]
            let number = Int((sent[index].receivedAt - Self.start) / width) * 3 + node
            while batches.count <= number { batches.append([]) }
            batches[number].append(Int32(index))
        }
        return batches.filter { !$0.isEmpty }
    }
}

import Ingest
import TestSupport

/// One crash: at which moment, of whom, and for how long.
struct TortureRound: CustomStringConvertible {
    enum Moment: Hashable, CaseIterable, CustomStringConvertible {
        case point(CrashPoint)
        /// Postgres has written a batch and not committed it.
        case beforeCommit
        case anyTime

        static var allCases: [Moment] { CrashPoint.allCases.map(Moment.point) + [.beforeCommit, .anyTime] }

        var description: String {
            switch self {
            case .point(let point): point.rawValue
            case .beforeCommit: "beforeCommit"
            case .anyTime: "anyTime"
            }
        }

        /// Bounds which time it is done: of what comes once in a life, the first.
        fileprivate var maxTime: Int {
            switch self {
            case .point(.groupTaken), .point(.frameWritten), .point(.frameSynced): 20
            case .point(.batchEncoded), .point(.batchCommitted): 5
            case .point(.segmentMade), .point(.segmentSynced), .point(.segmentStored), .point(.segmentRemoved): 3
            case .point(.countersWaiting), .point(.countersAdded): 2
            default: 1
            }
        }
    }

    enum Victim: String, CaseIterable {
        case ingest, postgres, redis
    }

    var number: Int
    var moment: Moment
    var victim: Victim
    /// The moment's how manieth time in this life of ingest.
    var time: Int
    /// Until a blow at any time, from ingest's start.
    var delayMs: Int
    /// Until the victim is started again.
    var downMs: Int
    /// Whether many beacons go through the overflow lane.
    var hasHotArtists: Bool
    /// Whether Postgres commits what it was held at only after the next ingest has begun.
    var commitsLate: Bool

    static let maxDelayMs = 1500
    static let maxDownMs = 400

    /// Every moment with every victim in a random order, again and again.
    static func plan(_ count: Int, using generator: inout SeededGenerator) -> [TortureRound] {
        var deck: [(Moment, Victim)] = []
        return (1...count).map { number in
            if deck.isEmpty {
                deck = Moment.allCases.flatMap { moment in Victim.allCases.map { (moment, $0) } }
                    .shuffled(using: &generator)
            }
            let (moment, victim) = deck.removeLast()
            return TortureRound(
                number: number, moment: moment, victim: victim,
                time: .random(in: 1...moment.maxTime, using: &generator),
                delayMs: .random(in: 0...maxDelayMs, using: &generator),
                downMs: .random(in: 0...maxDownMs, using: &generator), hasHotArtists: .random(using: &generator),
                commitsLate: .random(using: &generator))
        }
    }

    var description: String { "\(number): \(moment)\(time > 1 ? " for the \(time). time" : ""), \(victim)" }
}

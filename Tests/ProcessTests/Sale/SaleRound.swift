import PaymentService
import Platform
import ReservationService
import TestSupport

/// One crash: at which moment, of whom, and what befalls the servers meanwhile.
struct SaleRound: CustomStringConvertible {
    enum Moment: Hashable, CustomStringConvertible {
        case point(String)
        case anyTime

        var description: String {
            switch self {
            case .point(let name): name
            case .anyTime: "anyTime"
            }
        }
    }

    /// What befalls Postgres or Redis in a round.
    enum Trouble: String, CaseIterable {
        case none
        /// Redis loses all keys.
        case redisFlushed
        case redisKilled
        case postgresKilled
        case postgresRestarted
    }

    var number: Int
    var moment: Moment
    var victim: SaleStage.Part
    /// The moment's how manieth time in this life of the victim's.
    var time: Int
    /// Until a blow at any time, from the victim's start.
    var delayMs: Int
    /// Until the victim is started again.
    var downMs: Int
    var trouble: Trouble

    static let maxTime = 4
    /// What comes less than once a second: the first is played.
    static let rare = [ReservationCrashPoint.releaseWritten, .releaseRecorded, .expiryWritten].map(\.rawValue)
    static let maxDelayMs = 1500
    static let maxDownMs = 300
    /// Of as many rounds one has trouble with a server.
    static let troubleEvery = 5

    /// Every named moment with whoever can be killed at it, and as many kills at any time as an eighth of those.
    static let all: [(Moment, SaleStage.Part)] = {
        let payments = PaymentCrashPoint.allCases.map { (Moment.point($0.rawValue), SaleStage.Part.till) }
        let reservations = ReservationCrashPoint.allCases.map { (Moment.point($0.rawValue), SaleStage.Part.shop) }
        let bus = SaleStage.Part.allCases.flatMap { part in
            BusCrashPoint.allCases.map { (Moment.point($0.rawValue), part) }
        }
        let named = payments + reservations + bus
        return named + (0..<named.count / 4).map { (.anyTime, $0 % 2 == 0 ? .shop : .till) }
    }()

    /// All of them in a random order, again and again.
    static func plan(_ count: Int, using generator: inout SeededGenerator) -> [SaleRound] {
        var deck: [(Moment, SaleStage.Part)] = []
        return (1...count).map { number in
            if deck.isEmpty { deck = all.shuffled(using: &generator) }
            let (moment, victim) = deck.removeLast()
            var maxTime = maxTime
            if case .point(let point) = moment, rare.contains(point) { maxTime = 1 }
            let hasTrouble = Int.random(in: 1...troubleEvery, using: &generator) == 1
            return SaleRound(
                number: number, moment: moment, victim: victim,
                time: .random(in: 1...maxTime, using: &generator),
                delayMs: .random(in: 0...maxDelayMs, using: &generator),
                downMs: .random(in: 0...maxDownMs, using: &generator),
                trouble: hasTrouble ? Trouble.allCases.dropFirst().randomElement(using: &generator)! : .none)
        }
    }

    var description: String {
        let time = moment != .anyTime && time > 1 ? " for the \(time). time" : ""
        return "\(number): \(moment)\(time), \(victim)" + (trouble == .none ? "" : ", \(trouble)")
    }
}

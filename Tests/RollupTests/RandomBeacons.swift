import Core
import Foundation

/// A few days of beacons that meet every rule: sessions that cross hours and midnight, late ones, ones that claim the
/// future, repeats in the same batch, in others, and of what the server stamped.
struct RandomBeacons<Generator: RandomNumberGenerator> {
    var generator: Generator
    /// 2025-12-01T00:00+09:00
    let start: Int64 = 1_764_514_800_000
    let days: Int64 = 3

    mutating func beacons(_ count: Int) -> [Beacon] {
        var beacons: [Beacon] = []
        for number in 0..<count {
            if !beacons.isEmpty, Int.random(in: 0..<12, using: &generator) == 0 {
                var repeated = beacons.randomElement(using: &generator)!
                if repeated[.messageId] != nil {
                    // A retry: received later, same claim.
                    repeated.receivedAt += Int64.random(in: 0...3_600_000, using: &generator)
                    if repeated.flags.contains(.stamped) {
                        repeated.timestamp = repeated.receivedAt
                        repeated.claimed = repeated.receivedAt
                    } else if repeated.claimed > repeated.receivedAt {
                        repeated.timestamp = repeated.receivedAt
                    } else {
                        repeated.timestamp = repeated.claimed
                    }
                    beacons.append(repeated)
                    continue
                }
            }
            beacons.append(beacon(number))
        }
        return beacons
    }

    private mutating func beacon(_ number: Int) -> Beacon {
        let instant = start + Int64.random(in: 0..<(days * 86_400_000), using: &generator)
        // Cluster into fewer instants, so that sessions form.
        let timestamp = instant - instant % (Bool.random(using: &generator) ? 600_000 : 1)
        var beacon = Beacon(receivedAt: timestamp, timestamp: timestamp)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: beacon.receivedAt = timestamp + Int64.random(in: 0...(2 * 86_400_000), using: &generator)
        case 1: beacon.claimed = timestamp + Int64.random(in: 1...600_000, using: &generator)
        case 2: beacon.flags = .stamped
        default: break
        }
        beacon[.eventType] = ["page_view", "page_view", "seat_view", "click"].randomElement(using: &generator)!
        if Int.random(in: 0..<8, using: &generator) > 0 {
            beacon[.artistId] = written("아이유_\(Int.random(in: 0..<4, using: &generator))")
        }
        if Bool.random(using: &generator) {
            beacon[.eventId] = written("café_\(Int.random(in: 0..<5, using: &generator))")
        }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: beacon[.clientHash] = "client_\(Int.random(in: 0..<20, using: &generator))"
        case 1: beacon[.sessionId] = "session_\(Int.random(in: 0..<60, using: &generator))"
        case 2: break
        case 3:
            beacon[.visitorId] = "visitor_\(Int.random(in: 0..<300, using: &generator))"
            beacon[.sessionId] = "session_\(Int.random(in: 0..<60, using: &generator))"
        default: beacon[.visitorId] = "visitor_\(Int.random(in: 0..<300, using: &generator))"
        }
        if Int.random(in: 0..<5, using: &generator) > 0 { beacon[.messageId] = "message_\(number)" }
        return beacon
    }

    /// Sometimes in other bytes that mean the same characters: another id.
    private mutating func written(_ id: String) -> String {
        Int.random(in: 0..<3, using: &generator) > 0
            ? id.precomposedStringWithCanonicalMapping : id.decomposedStringWithCanonicalMapping
    }

    /// Cut into batches of random sizes, in random order.
    mutating func batches(of beacons: [Beacon]) -> [[Beacon]] {
        let shuffled = beacons.shuffled(using: &generator)
        var batches: [[Beacon]] = []
        var position = 0
        while position < shuffled.count {
            let size = Int.random(in: 1...400, using: &generator)
            batches.append(Array(shuffled[position..<min(position + size, shuffled.count)]))
            position += size
        }
        return batches
    }
}

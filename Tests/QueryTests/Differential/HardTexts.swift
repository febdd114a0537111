import Foundation

/// The texts that `HardBeacons` has numbers for.
struct HardTexts {
    static let types = ["page_view", "page_view", "page_view", "seat_view", "click"]

    let artists: [String]
    let events: [String]

    init() {
        // Texts of the same characters in other bytes are others.
        artists = (0..<HardBeacons.artistCount).map { number in
            let name = "카페_é_\(number / 2)"
            return number % 2 == 0
                ? name.precomposedStringWithCanonicalMapping : name.decomposedStringWithCanonicalMapping
        }
        events = (0..<(2 * HardBeacons.artistCount)).map { "event-\($0)" }
    }

    func artist(_ beacon: HardBeacons.Sent) -> String? { beacon.artist < 0 ? nil : artists[Int(beacon.artist)] }
    func event(_ beacon: HardBeacons.Sent) -> String? { beacon.event < 0 ? nil : events[Int(beacon.event)] }
    func visitor(_ beacon: HardBeacons.Sent) -> String? { beacon.visitor < 0 ? nil : "visitor-\(beacon.visitor)" }
    func client(_ beacon: HardBeacons.Sent) -> String? { beacon.client < 0 ? nil : "client-\(beacon.client)" }
    func message(_ beacon: HardBeacons.Sent) -> String? { beacon.message < 0 ? nil : "message-\(beacon.message)" }

    func session(_ beacon: HardBeacons.Sent) -> String? {
        switch beacon.session {
        case -1: nil
        case ..<(-1): "visitor-\(-2 - beacon.session)"
        default: "session-\(beacon.session)"
        }
    }
}

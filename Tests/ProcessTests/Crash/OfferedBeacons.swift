import Core

/// What the load offers. Everything about a beacon follows from the seed, its request and its row, but the instant: so
/// whoever finds a beacon stored knows what it must have added to every sum.
///
/// Its random part is its weight: which artist's and which event's sums it adds to, and whether as a view of the page or
/// of the seats. One that is lost changes other sums than another that is counted twice, but for one pair in thousands.
struct OfferedBeacons: Sendable {
    static let artists = 40
    static let events = 50
    static let visitors = 3000
    static let defaultPerRequest = 100

    let seed: UInt64
    let perRequest: Int
    private let prefix: String

    init(seed: UInt64, perRequest: Int = defaultPerRequest) {
        self.seed = seed
        self.perRequest = perRequest
        prefix = String(seed, radix: 36)
    }

    /// A beacon's fixed part.
    struct Beacon {
        var artist: String
        var event: String?
        var isPageView: Bool
        var visitor: Int
    }

    func beacon(_ request: Int, _ row: Int) -> Beacon {
        let bits = mixed(UInt64(request) &* 1_000_003 &+ UInt64(row))
        let event = "event-\(bits >> 20 % UInt64(Self.events))"
        return Beacon(
            artist: "artist-\(bits % UInt64(Self.artists))", event: bits >> 16 & 1 == 0 ? event : nil,
            isPageView: bits >> 17 & 7 != 0, visitor: Int(bits >> 32 % UInt64(Self.visitors)))
    }

    /// Some requests come late: from an hour, a day or a month before.
    func lateness(_ request: Int) -> Int64 {
        let bits = mixed(UInt64(request) | 1 << 63)
        let hour: Int64 = 3_600_000
        switch bits % 32 {
        case 0, 1: return hour
        case 2: return 24 * hour
        case 3: return 30 * 24 * hour
        default: return 0
        }
    }

    /// Of 0..<1: what the client decides about a request.
    func chance(_ request: Int, _ purpose: UInt64) -> Double {
        Double(mixed(UInt64(request) &* 31 &+ purpose &* 0x1_0000_0001) >> 11) / Double(1 << 53)
    }

    func messageId(_ request: Int, _ row: Int) -> String { "\(prefix)-\(request)-\(row)" }

    /// The request and row of a `messageId`; nil where it is none of ours.
    func position(ofMessageId id: String) -> (request: Int, row: Int)? {
        let parts = id.split(separator: "-")
        guard parts.count == 3, parts[0] == prefix, let request = Int(parts[1]), let row = Int(parts[2]) else {
            return nil
        }
        return (request, row)
    }

    /// A request's body, the same at every attempt.
    func body(_ request: Int, at instant: Int64) -> [UInt8] {
        var text = "["
        text.reserveCapacity(perRequest * 180)
        for row in 0..<perRequest {
            let beacon = beacon(request, row)
            if row > 0 { text += "," }
            text += #"{"eventType":""#
            text += beacon.isPageView ? "page_view" : "seat_view"
            text += #"","artistId":""#
            text += beacon.artist
            if let event = beacon.event {
                text += #"","eventId":""#
                text += event
            }
            text += #"","visitorId":"visitor-"#
            text += String(beacon.visitor)
            text += #"","messageId":""#
            text += messageId(request, row)
            text += #"","timestamp":"#
            text += String(instant)
            text += "}"
        }
        text += "]"
        return Array(text.utf8)
    }

    /// SplitMix64's finalizer over the seed.
    private func mixed(_ value: UInt64) -> UInt64 {
        var z = seed &+ value &* 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

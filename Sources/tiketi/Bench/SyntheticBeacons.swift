import Core

/// Beacons like those the peers were measured with: ten columns, artists by a Zipf-like law, a tenth as many visitors
/// as beacons, in order of time. The same seed gives the same beacons.
///
/// Columns: timestamp, eventType, artistId, eventId, visitorId, sessionId (16 random hex digits), messageId, path,
/// referrer, country. A session has four beacons on average.
struct SyntheticBeacons {
    /// What stands in `messageId`: it makes most of what a beacon takes.
    enum MessageIds: CaseIterable {
        /// UUIDs of version 4, as `crypto.randomUUID()` makes them.
        case random
        /// UUIDs of version 7, which begin with their time.
        case ordered
        case none
    }

    static let artistCount = 2001
    static let eventsPerArtist = 3
    static let referrerCount = 400
    /// Sessions under way at any time.
    static let openSessions = 4096
    static let visitorsPerBeacon = 0.1
    static let meanSessionLength = 4.0

    private struct Session {
        var visitor: Int
        var id: String
        var artist: Int
        var event: Int
        var referrer: Int
        var country: String
    }

    private static let countries = ["KR", "KR", "KR", "KR", "KR", "KR", "JP", "US", "TW", "ID", "TH", "GB"]

    private let messageIds: MessageIds
    private var random: SplitMix64
    private let artists: ZipfLaw
    private let referrers: ZipfLaw
    private var sessions: [Session] = []
    private var visitors = 0

    init(seed: UInt64, messageIds: MessageIds = .random) {
        self.messageIds = messageIds
        random = SplitMix64(seed: seed)
        artists = ZipfLaw(count: Self.artistCount)
        referrers = ZipfLaw(count: Self.referrerCount)
        for _ in 0..<Self.openSessions { sessions.append(newSession()) }
    }

    private mutating func newSession() -> Session {
        // So often somebody new that there is one visitor to `1 / visitorsPerBeacon` beacons in the end.
        let visitor: Int
        if visitors == 0 || random.chance(Self.visitorsPerBeacon * Self.meanSessionLength) {
            visitor = visitors
            visitors += 1
        } else {
            visitor = Int.random(in: 0..<visitors, using: &random)
        }
        let artist = artists.draw(&random)
        return Session(
            visitor: visitor, id: random.hex(16), artist: artist,
            event: artist * Self.eventsPerArtist + Int.random(in: 0..<Self.eventsPerArtist, using: &random),
            referrer: referrers.draw(&random), country: Self.countries.randomElement(using: &random)!)
    }

    /// The next beacon.
    ///
    /// - Parameter instant: milliseconds since 1970, both of the beacon and of its receipt.
    mutating func next(at instant: Int64) -> Beacon {
        let place = Int.random(in: 0..<sessions.count, using: &random)
        let session = sessions[place]
        if random.chance(1 / Self.meanSessionLength) { sessions[place] = newSession() }
        var beacon = Beacon(receivedAt: instant, timestamp: instant)
        let kind = Int.random(in: 0..<20, using: &random)
        beacon[.eventType] = kind < 16 ? "page_view" : kind < 18 ? "seat_view" : kind < 19 ? "click" : "share"
        beacon[.artistId] = "artist-\(padded(session.artist, 4))"
        beacon[.eventId] = "event-\(padded(session.event, 5))"
        beacon[.visitorId] = "visitor-\(padded(session.visitor, 7))"
        beacon[.sessionId] = session.id
        beacon[.messageId] =
            switch messageIds {
            case .random: Self.uuid(random.hex(12), version: 4, &random)
            case .ordered: Self.uuid(hex(instant), version: 7, &random)
            case .none: nil
            }
        beacon[.path] =
            kind < 12 ? "/artists/artist-\(padded(session.artist, 4))" : "/events/event-\(padded(session.event, 5))"
        beacon[.referrer] = "https://site-\(padded(session.referrer, 3)).example.com/"
        beacon[.country] = session.country
        return beacon
    }

    /// 48 bits as hex digits.
    private func hex(_ instant: Int64) -> String {
        let digits = String(instant, radix: 16)
        return String(repeating: "0", count: 12 - digits.count) + digits
    }

    /// - Parameter first: its first twelve hex digits.
    private static func uuid(_ first: String, version: Int, _ random: inout SplitMix64) -> String {
        "\(first.prefix(8))-\(first.suffix(4))-\(version)\(random.hex(3))-a\(random.hex(3))-\(random.hex(12))"
    }
}

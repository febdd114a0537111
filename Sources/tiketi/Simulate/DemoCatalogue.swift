import Core

/// Artists and events of the demo: made up, and the same for the same number of artists.
struct DemoCatalogue: Sendable {
    struct Event: Sendable, Equatable {
        var id: String
        var title: String
        /// Minor units of KRW, which has none below 1.
        var price: Int64
        /// Days from the day on which the catalogue is announced.
        var daysAhead: Int
    }

    struct Artist: Sendable, Equatable {
        var id: String
        var name: String
        var events: [Event]
    }

    static let maxArtists = 100_000

    let artists: [Artist]
    private let popularity: ZipfLaw

    /// - Parameter count: 1 to `maxArtists`.
    init(artists count: Int) {
        var random = SplitMix64(seed: 2026)
        artists = (0..<min(max(1, count), Self.maxArtists)).map { Self.artist($0, using: &random) }
        popularity = ZipfLaw(count: artists.count)
    }

    private static let firstWords = [
        "Blue", "Midnight", "Paper", "Silver", "Han", "Northern", "Velvet", "Tiny", "Echo", "Lunar", "Seoul", "Quiet",
    ]
    private static let secondWords = [
        "Harbor", "Lanterns", "Foxes", "Parade", "River", "Static", "Garden", "Comets", "Alley", "Machine", "Sonata",
    ]
    private static let titles = ["World Tour", "Fan Meeting", "Year-End Concert", "Acoustic Night", "Encore"]
    private static let venues = ["Seoul", "Busan", "Incheon", "Daegu", "Gwangju"]

    private static func artist(_ index: Int, using random: inout SplitMix64) -> Artist {
        // The two lists' lengths share no factor, so 132 names come before one repeats and takes a number.
        let round = index / (firstWords.count * secondWords.count)
        let name =
            "\(firstWords[index % firstWords.count]) \(secondWords[index % secondWords.count])"
            + (round > 0 ? " \(round + 1)" : "")
        let events = (1...Int.random(in: 1...3, using: &random)).map { number in
            Event(
                id: "event-\(index + 1)-\(number)",
                title: "\(name) \(titles[(index + number) % titles.count]) in "
                    + venues[Int.random(in: 0..<venues.count, using: &random)],
                price: Int64.random(in: 4...16, using: &random) * 11_000, daysAhead: 7 * number + index % 30)
        }
        return Artist(id: "artist-\(index + 1)", name: name, events: events)
    }

    /// An artist by popularity: the first ones most.
    func artist(using random: inout SplitMix64) -> Artist { artists[popularity.draw(&random)] }

    /// Eight in the evening, in milliseconds since 1970.
    static func start(of event: Event, announced day: Day) -> Int64 {
        ReportingCalendar.seoul.start(of: day + event.daysAhead) + 20 * 3_600_000
    }

    /// The catalogue as the event service would announce it.
    ///
    /// - Parameter now: milliseconds since 1970; a later announcement wins over an earlier one.
    func announcements(at now: Int64) -> [Message] {
        let today = ReportingCalendar.seoul.day(of: now)
        return artists.flatMap { artist in
            [
                Message(
                    id: "demo-\(artist.id)-\(now)", occurredAt: now,
                    body: .artistUpserted(ArtistUpserted(artistId: artist.id, name: artist.name)))
            ]
                + artist.events.map { event in
                    Message(
                        id: "demo-\(event.id)-\(now)", occurredAt: now,
                        body: .eventUpserted(
                            EventUpserted(
                                eventId: event.id, title: event.title, artistId: artist.id,
                                startsAt: Instant.iso8601(Self.start(of: event, announced: today)))))
                }
        }
    }
}

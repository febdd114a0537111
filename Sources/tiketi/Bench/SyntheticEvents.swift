import Core
import EventService

/// A made-up catalogue of events with Korean and English texts: the same for the same seed.
struct SyntheticEvents {
    struct Event {
        var id: String
        var title: String
        var artist: Int
        var description: String
        var startsAt: Int64
    }

    /// What half of all titles say.
    static let commonWord = "콘서트"
    static let cities = ["서울", "부산", "대구", "인천", "광주", "대전", "수원", "제주"]
    /// Each particle makes another word of the same name.
    private static let particles = ["", "", "에서", "의", "와", "는", "까지"]

    let artists: [String]
    private let words: [String]
    private let popularity: ZipfLaw
    private let wordPopularity: ZipfLaw
    private var random: SplitMix64

    init(seed: UInt64, artists count: Int = 2_000, words wordCount: Int = 5_000) {
        random = SplitMix64(seed: seed)
        var random = random
        func syllables(_ count: Int) -> String {
            // Those that names and words are mostly made of: the fewer there are, the more bigrams meet by chance.
            String(
                String.UnicodeScalarView(
                    (0..<count).map { _ in
                        Unicode.Scalar(UInt32(0xac00 + 28 * Int.random(in: 0..<399, using: &random)))!
                    }))
        }
        artists = (0..<count).map { index in
            index % 4 == 0 ? "Band\(index)" : syllables(Int.random(in: 2...3, using: &random))
        }
        words = (0..<wordCount).map { index in
            index % 5 == 0 ? "word\(index)" : syllables(Int.random(in: 2...4, using: &random))
        }
        popularity = ZipfLaw(count: count)
        wordPopularity = ZipfLaw(count: wordCount)
        self.random = random
    }

    mutating func word() -> String { words[wordPopularity.draw(&random)] }
    mutating func artist() -> Int { popularity.draw(&random) }
    mutating func city() -> String { Self.cities.randomElement(using: &random)! }

    /// Starts lie a year around `now`, in no order.
    mutating func event(_ number: Int, now: Int64) -> Event {
        let artist = artist()
        var title = [artists[artist] + Self.particles.randomElement(using: &random)!, city(), word()]
        if number.isMultiple(of: 2) { title.append(Self.commonWord + Self.particles.randomElement(using: &random)!) }
        let description = (0..<Int.random(in: 15...30, using: &random)).map { _ in
            word() + Self.particles.randomElement(using: &random)!
        }
        let days = Int64.random(in: -365 * 24...365 * 24, using: &random)
        return Event(
            id: "event-\(number)", title: title.joined(separator: " "), artist: artist,
            description: description.joined(separator: " "), startsAt: now + days * 3_600_000)
    }
}

import Core
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import EventService

@Suite(.timeLimit(.minutes(5))) struct EventSearchTests {
    @Test func koreanIsFoundByTwoSyllablesAndBeforeParticles() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addArtist("lim", "임영웅")
            try await lab.addEvent("a", "콘서트에서 만나요")
            try await lab.addEvent("b", "HERO Night 2026", artist: "lim")
            #expect(try await lab.search("콘서트").ids == ["a"])
            #expect(try await lab.search("영웅").ids == ["b"])
            #expect(try await lab.search("HERO").ids == ["b"])
            #expect(try await lab.search("2026 임영웅").ids == ["b"])
            // Latin words are whole; one syllable begins a run.
            #expect(try await lab.search("HER").ids == [])
            #expect(try await lab.search("콘").ids == ["a"])
            #expect(try await lab.search("트").ids == [])
            // Both bigrams are there, but not together.
            try await lab.addEvent("c", "가나 나다")
            #expect(try await lab.search("가나다").ids == [])
            #expect(try await lab.search("!!! ").ids == [])
        }
    }

    @Test func keywordsFindTheOtherName() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "HEREH World Tour")
            // Known from the beginning.
            #expect(try await lab.search("ＩＵ").ids == ["a"])
            #expect(try await lab.search("지은").ids == [])
            let pairs = #"{"pairs":[{"korean":"지은","english":"IU"},{"korean":"아이유","english":"IU"}]}"#
            #expect(try await lab.send(.put, "/api/events/keywords", pairs, as: lab.admin).status == 200)
            #expect(try await lab.search("iu tour").ids == ["a"])
            #expect(try await lab.search("iu concert").ids == [])
            #expect(try await lab.send(.get, "/api/events/keywords", as: lab.admin).list("pairs").count == 2)
            #expect(try await lab.send(.get, "/api/events/keywords", as: lab.user).status == 403)
        }
    }

    @Test func titlesComeBeforeArtistsBeforeDescriptionsAndWhatIsToComeBeforeAll() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addArtist("x", "누구")
            let later = Lab.start + 90 * Lab.day
            try await lab.addEvent("past", "아이유", startsAt: Lab.start - Lab.day)
            try await lab.addEvent("told", "모음", artist: "x", #","description":"아이유도 온다""#)
            try await lab.addEvent("sung", "밤", startsAt: later)
            try await lab.addEvent("named-2", "아이유 둘", artist: "x", startsAt: later)
            try await lab.addEvent("named-1", "아이유 하나", artist: "x")
            let all = ["named-1", "named-2", "sung", "told", "past"]
            #expect(try await lab.search("아이유").ids == all)
            var pages: [String] = []
            var cursor = ""
            repeat {
                let page = try await lab.search("아이유", "&limit=2\(cursor)")
                pages += page.ids
                cursor = page.text("nextCursor").map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(pages == all)
        }
    }

    @Test func renamingAnArtistRenamesItInSearchAndCancelingHidesTheEvent() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            let renamed = #"{"name":"이지은","version":1}"#
            #expect(try await lab.send(.put, "/api/artists/iu", renamed, as: lab.admin).status == 200)
            #expect(try await lab.search("아이유").ids == [])
            #expect(try await lab.search("지은").ids == ["a"])
            #expect(try await lab.send(.delete, "/api/events/a", as: lab.admin).status == 204)
            #expect(try await lab.search("지은").ids == [])
            #expect(try await lab.get("/api/events/a").text("status") == "canceled")
        }
    }

    /// Both ways find what a scan of all texts finds, in the same order, page by page.
    @Test func indexAndWalkFindWhatAScanFinds() async throws {
        let random = SeededGenerator()
        print(random)
        let words = ["아이유", "콘서트", "서울", "영웅", "비", "tour", "iu", "밤", "서울공연", "2026"]
        try await Lab.with { [random] lab in
            var random = random
            var catalogue = Catalogue()
            catalogue.artists = [.init(id: "iu", name: "아이유"), .init(id: "x", name: "임영웅")]
            catalogue.events = (0..<120).map { number in
                let starts = Lab.start + Int64.random(in: -50...50, using: &random) * Lab.day
                func text() -> String {
                    (0...Int.random(in: 0...3, using: &random)).map { _ in words.randomElement(using: &random)! }
                        .joined(separator: [" ", ""].randomElement(using: &random)!)
                }
                var draft = EventDraft(
                    title: text(), artistId: ["iu", "x"].randomElement(using: &random)!, startsAt: starts,
                    salesOpenAt: starts - Lab.day, salesCloseAt: starts)
                draft.description = text()
                return .init(id: "e\(number)", draft: draft)
            }
            #expect(try await lab.service.load(catalogue) == 120)
            #expect(try await lab.service.load(catalogue) == 0)
            for _ in 0..<40 {
                let text = (0...Int.random(in: 0...1, using: &random)).map { _ in words.randomElement(using: &random)! }
                    .joined(separator: " ")
                let expected = Self.scan(SearchText(text).runs, catalogue)
                for frequency in [0.0, 1e9] {
                    var known = SearchVocabulary.Words()
                    for term in SearchText(words.joined(separator: " ")).terms { known.frequencies[term] = frequency }
                    var found: [String] = []
                    var after: EventSearch.Rank?
                    repeat {
                        let page = try await lab.pool.withConnection { [known, after] connection in
                            try EventSearch.find(
                                SearchQuery(text, keywords: Keywords()), words: known, now: Lab.start, after: after,
                                limit: 7, on: connection)
                        }
                        found += page.ids
                        after = page.last
                    } while after != nil
                    #expect(found == expected, "\(text), \(frequency)")
                }
            }
        }
    }

    /// The ids in order, from the texts alone.
    private static func scan(_ runs: [SearchText.Run], _ catalogue: Catalogue) -> [String] {
        let ranks: [(past: Int, tier: Int, distance: Int64, id: String)] = catalogue.events.compactMap { event in
            let artist = catalogue.artists.first { $0.id == event.draft.artistId }!.name
            let title = SearchText(event.draft.title).normalized
            let head = title + SearchText(artist).normalized
            let whole = head + SearchText(event.draft.description).normalized
            func has(_ text: String) -> Bool { runs.allSatisfy { text.contains($0.pattern) } }
            guard has(whole) else { return nil }
            return (
                event.draft.startsAt < Lab.start ? 1 : 0, has(title) ? 0 : has(head) ? 1 : 2,
                abs(event.draft.startsAt - Lab.start), event.id
            )
        }
        return ranks.sorted { ($0.past, $0.tier, $0.distance, $0.id) < ($1.past, $1.tier, $1.distance, $1.id) }.map(
            \.id)
    }

    @Test func questionsAreBounded() async throws {
        try await Lab.with { lab async throws in
            let longest = String(repeating: "a", count: SearchQuery.maxCharacters)
            #expect(try await lab.get("/api/events/search?q=\(longest)").status == 200)
            #expect(try await lab.get("/api/events/search?q=\(longest)a").status == 422)
            #expect(try await lab.get("/api/events/search").status == 422)
            #expect(try await lab.get("/api/events/search?q=a&cursor=x").status == 422)
            #expect(try await lab.get("/api/events/search?q=a&limit=101").status == 422)
            #expect(try await lab.get("/api/events/search?q=%00%27%5C").status == 200)
        }
    }

    @Test func keywordPairsAreBounded() async throws {
        try await Lab.with { lab async throws in
            func pairs(_ count: Int) -> String {
                let pairs = (0..<count).map { #"{"korean":"이름\#($0)","english":"name\#($0)"}"# }
                return #"{"pairs":[\#(pairs.joined(separator: ","))]}"#
            }
            let path = "/api/events/keywords"
            #expect(try await lab.put(path, pairs(KeywordPair.maxPairs)).status == 200)
            #expect(try await lab.put(path, pairs(KeywordPair.maxPairs + 1)).status == 422)
            #expect(try await lab.put(path, #"{"pairs":[{"korean":"!","english":"a"}]}"#).status == 422)
        }
        // One name of many things is looked for as some of them.
        let keywords = Keywords((0..<20).map { KeywordPair(korean: "이름", english: "name\($0)") })
        #expect(SearchQuery("이름", keywords: keywords).groups[0].count == SearchQuery.maxAlternatives)
    }
}

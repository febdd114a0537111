import Core
import TestSupport
import Testing

@testable import tiketi

@Suite struct DemoTrafficTests {
    static func steps(_ count: Int, seed: UInt64, artists: Int = 20) -> [DemoTraffic.Step] {
        var traffic = DemoTraffic(
            catalogue: DemoCatalogue(artists: artists), seed: seed, run: "run", activeSessions: 50)
        return (0..<count).map { traffic.step(at: 1_765_000_000_000 + Int64($0)) }
    }

    @Test func sameSeedIsTheSameTraffic() {
        let steps = Self.steps(500, seed: 7)
        #expect(Self.steps(500, seed: 7).map(\.beacon) == steps.map(\.beacon))
        #expect(Self.steps(500, seed: 8).map(\.beacon) != steps.map(\.beacon))
    }

    /// Nobody sees seats before the event, or books without having seen them.
    @Test func everyoneTakesTheStepsInOrder() throws {
        let random = SeededGenerator()
        print(random)
        var stages: [String: Int] = [:]
        var seen: [Int: Int] = [:]
        var underWay = 0
        for step in Self.steps(30_000, seed: random.seed) {
            let session = try #require(step.beacon[.sessionId])
            let path = try #require(step.beacon[.path])
            let isArtist = path.hasPrefix("/artists/")
            let stage =
                isArtist ? 0 : step.beacon[.eventType] == "page_view" ? 1 : path.hasSuffix("/seats") ? 2 : 3
            // The first ones are under way; and a session may begin anew with another artist.
            if let before = stages[session] {
                #expect(stage == 0 || stage == before + 1 || stage == 2 && before == 2, "\(before) to \(stage)")
            } else if stage > 0 {
                underWay += 1
            }
            stages[session] = stage
            seen[stage, default: 0] += 1
            #expect((step.beacon[.eventId] == nil) == isArtist)
            for message in step.messages where message.kind == .paymentCompleted { #expect(stage == 3) }
        }
        #expect(underWay <= 50)
        #expect((0...3).allSatisfy { seen[$0] ?? 0 > 100 }, "\(seen)")
    }

    /// Who books is who is on the site, so that a funnel by visitor has all of its steps.
    @Test func bookingsAreOfTheVisitor() {
        let random = SeededGenerator()
        print(random)
        var bookings = 0
        for step in Self.steps(30_000, seed: random.seed) {
            for message in step.messages {
                switch message.body {
                case .paymentCompleted(let body):
                    bookings += 1
                    #expect(body.visitorId == step.beacon[.visitorId])
                case .reservationConfirmed(let body): #expect(body.visitorId == step.beacon[.visitorId])
                case .paymentRefunded(let body): #expect(body.visitorId != nil)
                case .reservationCanceled(let body): #expect(body.visitorId != nil)
                default: break
                }
            }
        }
        #expect(bookings > 100)
    }

    @Test func idsAreUniqueAndMoneyIsThatOfTheCatalogue() throws {
        let random = SeededGenerator()
        print(random)
        let steps = Self.steps(50_000, seed: random.seed)
        let ids = steps.compactMap { $0.beacon[.messageId] } + steps.flatMap { $0.messages.map(\.id) }
        #expect(Set(ids).count == ids.count)
        let prices = Dictionary(
            uniqueKeysWithValues: DemoCatalogue(artists: 20).artists.flatMap { $0.events.map { ($0.id, $0.price) } })
        var paid: [String: PaymentCompleted] = [:]
        var refunds = 0
        for message in steps.flatMap(\.messages) {
            switch message.body {
            case .paymentCompleted(let payment):
                #expect(payment.amount == prices[payment.eventId]! * payment.tickets)
                #expect((1...4).contains(payment.tickets))
                paid[payment.paymentId] = payment
            case .paymentRefunded(let refund):
                // What was paid, and once.
                let removed = paid.removeValue(forKey: refund.paymentId)
                let payment = try #require(removed)
                #expect(refund.amount == payment.amount && refund.tickets == payment.tickets)
                refunds += 1
            default: break
            }
        }
        #expect(paid.count > 100)
        #expect(refunds > 0)
    }

    @Test func firstArtistsDrawMost() {
        let random = SeededGenerator()
        print(random)
        var views: [String: Int] = [:]
        for step in Self.steps(50_000, seed: random.seed) { views[step.beacon[.artistId]!, default: 0] += 1 }
        #expect(views.count == 20)
        #expect(views["artist-1"]! > 2 * views["artist-5"]!)
        #expect(views["artist-1"]! > 5 * views["artist-20"]!)
    }

    @Test(arguments: [-1, 0, 1, 300, DemoCatalogue.maxArtists + 1])
    func catalogueHasItsBounds(count: Int) {
        let artists = DemoCatalogue(artists: count).artists
        #expect(artists.count == min(max(1, count), DemoCatalogue.maxArtists))
        #expect(Set(artists.map(\.id)).count == artists.count)
        #expect(Set(artists.map(\.name)).count == artists.count)
        #expect(artists.allSatisfy { (1...3).contains($0.events.count) })
    }

    @Test func announcementsNameEveryArtistAndEvent() {
        let catalogue = DemoCatalogue(artists: 3)
        let messages = catalogue.announcements(at: 1_765_000_000_000)
        #expect(messages.count == 3 + catalogue.artists.reduce(0) { $0 + $1.events.count })
        #expect(Set(messages.map(\.id)).count == messages.count)
        for case .eventUpserted(let event) in messages.map(\.body) {
            // Eight in the evening in Seoul.
            #expect(event.startsAt?.hasSuffix("T11:00:00.000Z") == true)
        }
    }
}

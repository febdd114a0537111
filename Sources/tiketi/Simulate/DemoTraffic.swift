import Core

/// People on a ticket site, one step of one of them at a time. Pure and seeded; the caller sets the pace.
///
/// Somebody looks at an artist, perhaps at one of the events, its seats, and may book; now and then somebody looks at
/// a second artist, comes back another time, or gives a ticket back.
struct DemoTraffic: Sendable {
    /// What one step leaves behind.
    struct Step: Sendable {
        var beacon: Beacon
        /// What the services publish at that moment.
        var messages: [Message] = []
    }

    /// Visitors who may come back.
    static let maxVisitors = 50_000
    /// Bookings that may still be given back.
    static let maxBookings = 1000

    private struct Session {
        enum Page {
            case artist
            case event(DemoCatalogue.Event)
            case seats(DemoCatalogue.Event)
            case checkout(DemoCatalogue.Event)
            case done
        }
        var id: String
        var visitor: Visitor
        var artist: DemoCatalogue.Artist
        var referrer: String?
        /// Where the next step leads.
        var next: Page = .artist
    }

    private struct Visitor {
        var id: String
        var userAgent: String
        var country: String
    }

    private let catalogue: DemoCatalogue
    private let run: String
    private var random: SplitMix64
    private var sessions: [Session] = []
    private var visitors: [Visitor] = []
    private var bookings: [PaymentCompleted] = []
    private var count = 0

    /// - Parameters:
    ///   - run: makes the ids of this run its own, so that repeating a run adds to what is there.
    ///   - activeSessions: people on the site at a time, 1 to `maxVisitors`.
    init(catalogue: DemoCatalogue, seed: UInt64, run: String, activeSessions: Int) {
        self.catalogue = catalogue
        self.run = run
        random = SplitMix64(seed: seed)
        for _ in 0..<min(max(1, activeSessions), Self.maxVisitors) {
            var session = newSession()
            session.next = pageUnderWay(of: session.artist)
            sessions.append(session)
        }
    }

    /// One step of somebody on the site.
    ///
    /// - Parameter instant: milliseconds since 1970.
    mutating func step(at instant: Int64) -> Step {
        let index = Int.random(in: 0..<sessions.count, using: &random)
        let page = sessions[index].next
        let session = sessions[index]
        var step = Step(beacon: Beacon(receivedAt: instant, timestamp: instant))
        step.beacon[.artistId] = session.artist.id
        step.beacon[.visitorId] = session.visitor.id
        step.beacon[.sessionId] = session.id
        step.beacon[.messageId] = nextId("beacon")
        step.beacon[.userAgent] = session.visitor.userAgent
        step.beacon[.country] = session.visitor.country
        var next = Session.Page.done
        switch page {
        case .artist:
            show("page_view", "/artists/\(session.artist.id)", nil, &step)
            step.beacon[.referrer] = session.referrer
            if random.chance(0.6) { next = .event(pick(session.artist.events)) }
        case .event(let event):
            show("page_view", "/events/\(event.id)", event, &step)
            if random.chance(0.5) { next = .seats(event) }
        case .seats(let event):
            show("seat_view", "/events/\(event.id)/seats", event, &step)
            next = random.chance(0.4) ? .seats(event) : random.chance(0.5) ? .checkout(event) : .done
        case .checkout(let event):
            show("checkout", "/events/\(event.id)/checkout", event, &step)
            if random.chance(0.7) { step.messages = book(event, of: session, at: instant) }
        case .done:
            preconditionFailure("a session that is over is replaced at once")
        }
        if step.messages.isEmpty, !bookings.isEmpty, random.chance(0.001) { step.messages = giveBack(at: instant) }
        if case .done = next {
            if random.chance(0.3) {
                // On to another artist in the same session.
                sessions[index].artist = catalogue.artist(using: &random)
                sessions[index].referrer = "https://tiketi.example" + (step.beacon[.path] ?? "/")
                next = .artist
            } else {
                if random.chance(0.02) {
                    step.messages.append(
                        Message(
                            id: nextId("registration"), occurredAt: instant,
                            body: .userRegistered(UserRegistered(userId: session.visitor.id))))
                }
                sessions[index] = newSession()
                return step
            }
        }
        sessions[index].next = next
        return step
    }

    private func show(_ type: String, _ path: String, _ event: DemoCatalogue.Event?, _ step: inout Step) {
        step.beacon[.eventType] = type
        step.beacon[.path] = path
        step.beacon[.eventId] = event?.id
    }

    // MARK: Bookings

    private mutating func book(
        _ event: DemoCatalogue.Event, of session: Session, at instant: Int64
    ) -> [Message] {
        let tickets = Int64.random(in: 1...4, using: &random)
        let payment = PaymentCompleted(
            paymentId: nextId("payment"), eventId: event.id, artistId: session.artist.id, amount: tickets * event.price,
            currency: "KRW", tickets: tickets, visitorId: session.visitor.id)
        if bookings.count == Self.maxBookings {
            bookings[Int.random(in: 0..<bookings.count, using: &random)] = payment
        } else {
            bookings.append(payment)
        }
        return [
            Message(id: payment.paymentId, occurredAt: instant, body: .paymentCompleted(payment)),
            Message(
                id: nextId("message"), occurredAt: instant,
                body: .reservationConfirmed(
                    ReservationChanged(
                        reservationId: "reservation-" + payment.paymentId, eventId: event.id,
                        artistId: session.artist.id, visitorId: session.visitor.id))),
        ]
    }

    private mutating func giveBack(at instant: Int64) -> [Message] {
        let payment = bookings.remove(at: Int.random(in: 0..<bookings.count, using: &random))
        let refundId = nextId("refund")
        return [
            Message(
                id: refundId, occurredAt: instant,
                body: .paymentRefunded(
                    PaymentRefunded(
                        refundId: refundId, paymentId: payment.paymentId, eventId: payment.eventId,
                        artistId: payment.artistId, amount: payment.amount, currency: payment.currency,
                        tickets: payment.tickets, visitorId: payment.visitorId))),
            Message(
                id: nextId("message"), occurredAt: instant,
                body: .reservationCanceled(
                    ReservationChanged(
                        reservationId: "reservation-" + payment.paymentId, eventId: payment.eventId,
                        artistId: payment.artistId, visitorId: payment.visitorId))),
        ]
    }

    // MARK: People

    private mutating func newSession() -> Session {
        let visitor: Visitor
        if !visitors.isEmpty, random.chance(0.35) {
            visitor = pick(visitors)
        } else {
            visitor = Visitor(
                id: "visitor-\(random.hex(12))", userAgent: pick(Self.userAgents), country: pick(Self.countries))
            if visitors.count == Self.maxVisitors {
                visitors[Int.random(in: 0..<visitors.count, using: &random)] = visitor
            } else {
                visitors.append(visitor)
            }
        }
        return Session(
            id: "session-\(random.hex(16))", visitor: visitor, artist: catalogue.artist(using: &random),
            referrer: pick(Self.referrers))
    }

    /// Where somebody is who came a while ago, so that the first minute is like any other.
    private mutating func pageUnderWay(of artist: DemoCatalogue.Artist) -> Session.Page {
        // As often as each page is looked at in a session, by the chances in `step`.
        let draw = Double.random(in: 0..<2.25, using: &random)
        let event = pick(artist.events)
        return draw < 1 ? .artist : draw < 1.6 ? .event(event) : draw < 2.1 ? .seats(event) : .checkout(event)
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private mutating func nextId(_ kind: String) -> String {
        count += 1
        return "\(kind)-\(run)-\(count)"
    }

    private static let referrers: [String?] = [
        nil, nil, "https://www.google.com/", "https://search.naver.com/", "https://www.instagram.com/",
        "https://www.youtube.com/",
    ]
    /// As often as each stands here.
    private static let countries = ["KR", "KR", "KR", "KR", "KR", "JP", "US", "TW"]
    private static let userAgents = [
        "Mozilla/5.0 (Linux; Android 15; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile "
            + "Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
            + "Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
            + "Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
            + "Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
            + "Safari/605.1.15",
    ]
}

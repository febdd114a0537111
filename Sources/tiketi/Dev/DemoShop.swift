import Core
import EventService
import Logging
import Platform

/// The demo catalogue's events, on sale in the shop.
struct DemoShop {
    let settings: Settings
    let logger: Logger

    /// Adds what isn't there yet.
    func load() async throws {
        let service = try await EventService(
            EventService.Configuration(
                database: try settings.database("EVENTS_DATABASE_URL"), redis: try settings.redis(),
                keys: .fixed(try await VerifyingKeys()), clock: ProcessSettings.clock),
            metrics: Metrics(), logger: logger)
        do {
            _ = try await service.load(Self.catalogue(at: ProcessSettings.clock()))
        } catch {
            await service.shutdown()
            throw error
        }
        await service.shutdown()
    }

    /// - Parameter now: milliseconds since 1970.
    static func catalogue(at now: Int64) -> Catalogue {
        let demo = DemoCatalogue(artists: DemoData.artists)
        let today = ReportingCalendar.seoul.day(of: now)
        var catalogue = Catalogue()
        catalogue.categories = [.init(id: "concert", name: "콘서트", position: 1)]
        catalogue.venues = [.init(id: "hall", name: "티켓티홀", address: "서울")]
        catalogue.keywords = [KeywordPair(korean: "콘서트", english: "concert")]
        catalogue.artists = demo.artists.map { .init(id: $0.id, name: $0.name) }
        for artist in demo.artists {
            for (number, event) in artist.events.enumerated() {
                let starts = DemoCatalogue.start(of: event, announced: today)
                var draft = EventDraft(
                    title: event.title, artistId: artist.id, startsAt: starts, salesOpenAt: now - 86_400_000,
                    salesCloseAt: starts - 3_600_000)
                draft.description = "\(artist.name)의 콘서트"
                draft.venueId = "hall"
                draft.categoryId = "concert"
                let template = number == 0 ? LayoutTemplate.hall : .small
                let layout = template.layout { section in
                    switch section {
                    case "VIP": event.price * 3 / 2
                    case "R": event.price * 5 / 4
                    default: event.price
                    }
                }
                catalogue.events.append(.init(id: event.id, draft: draft, layout: layout))
            }
        }
        return catalogue
    }
}

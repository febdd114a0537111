import Core
import Platform
import Storage

/// Events in the order of their start, filtered.
package struct EventList: Sendable, Equatable {
    package static let maxLimit = 100
    package static let defaultLimit = 20

    package var categoryId: String?
    package var artistId: String?
    package var venueId: String?
    package var status: EventStatus?
    /// Of `startsAt`, in milliseconds since 1970; `until` is left out.
    package var from: Int64?
    package var until: Int64?
    /// The last one of the page before.
    package var after: ListCursor?
    package var limit = EventList.defaultLimit

    package init() {}

    /// Others are likely to ask for the same: it is a first page, and not from an instant of somebody's own.
    var isCommon: Bool { after == nil && from == nil && until == nil }

    /// One more than the page has tells that there are more.
    func query(at now: Int64) -> SQL {
        let instant = PostgresTimestamp(ms: now)
        var sql: SQL =
            "SELECT \(sql: CatalogueEvent.columns) FROM \(sql: CatalogueEvent.tables) WHERE true"
        if let categoryId { sql = sql + " AND e.category_id = \(categoryId)" }
        if let artistId { sql = sql + " AND e.artist_id = \(artistId)" }
        if let venueId { sql = sql + " AND e.venue_id = \(venueId)" }
        if let from { sql = sql + " AND e.starts_at >= \(PostgresTimestamp(ms: from))" }
        if let until { sql = sql + " AND e.starts_at < \(PostgresTimestamp(ms: until))" }
        if let after {
            sql = sql + " AND (e.starts_at, e.id) > (\(PostgresTimestamp(ms: after.startsAt)), \(after.id))"
        }
        // Sales don't outlast the event, nor an event its longest: so no event that is over is passed on the way.
        let selling: SQL = """
             AND e.canceled_at IS NULL AND e.sales_close_at > \(instant)
            AND e.starts_at > \(PostgresTimestamp(ms: now - EventDraft.maxDays * 86_400_000))
            """
        switch status {
        case nil: break
        case .canceled: sql = sql + " AND e.canceled_at IS NOT NULL"
        case .ended: sql = sql + " AND e.canceled_at IS NULL AND e.sales_close_at <= \(instant)"
        case .soldOut: sql = sql + selling + " AND e.sold_out"
        case .upcoming:
            sql = sql + selling + " AND e.sales_open_at > \(instant) AND NOT e.sold_out"
        case .onSale:
            sql = sql + selling + " AND e.sales_open_at <= \(instant) AND NOT e.sold_out"
        }
        return sql + " ORDER BY e.starts_at, e.id LIMIT \(limit + 1)"
    }

    func events(at now: Int64, on connection: PostgresConnection) throws -> (
        events: [CatalogueEvent], next: ListCursor?
    ) {
        let events = try connection.query(query(at: now)).map(CatalogueEvent.init)
        guard events.count > limit else { return (events, nil) }
        let page = Array(events.prefix(limit))
        return (page, ListCursor(startsAt: page[limit - 1].draft.startsAt, id: page[limit - 1].id))
    }
}

/// Where a page of a list ended.
package struct ListCursor: Sendable, Equatable {
    package var startsAt: Int64
    package var id: String

    package init(startsAt: Int64, id: String) {
        self.startsAt = startsAt
        self.id = id
    }

    var text: String { "\(startsAt)_\(id)" }

    init?(_ text: String) {
        let parts = text.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let startsAt = Int64(parts[0]), EventDraft.instants.contains(startsAt),
            CatalogueID.isValid(parts[1])
        else { return nil }
        self.startsAt = startsAt
        id = String(parts[1])
    }
}

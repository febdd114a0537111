import Core
import Platform
import Storage

/// An event as it is stored, with the names of what it refers to.
package struct CatalogueEvent: Sendable, Equatable {
    package var id: String
    package var draft: EventDraft
    package var artistName: String
    package var venueName: String?
    package var categoryName: String?
    package var seats: Int64?
    package var isSoldOut: Bool
    package var isCanceled: Bool
    package var version: Int64

    static let columns: SQL = """
        e.id, e.title, e.description, e.artist_id, e.venue_id, e.category_id, e.starts_at, e.ends_at, e.sales_open_at,
        e.sales_close_at, e.currency, e.max_seats_per_buyer, e.needs_admission, e.taxable, e.ticket_types, e.sold_out,
        e.canceled_at IS NOT NULL, e.version, a.name, v.name, c.name, l.seats
        """
    static let tables: SQL = """
        events e JOIN artists a ON a.id = e.artist_id LEFT JOIN venues v ON v.id = e.venue_id
        LEFT JOIN categories c ON c.id = e.category_id LEFT JOIN event_layouts l ON l.event_id = e.id
        """

    /// Of a row of `columns`.
    init(_ row: PostgresRow) throws {
        func instant(_ column: Int) throws -> Int64 { try row.get(column, as: PostgresTimestamp.self).ms }
        id = try row.get(0)
        draft = EventDraft(
            title: try row.get(1), artistId: try row.get(3), startsAt: try instant(6), salesOpenAt: try instant(8),
            salesCloseAt: try instant(9))
        draft.description = try row.get(2)
        draft.venueId = try row.get(4)
        draft.categoryId = try row.get(5)
        draft.endsAt = try row.get(7, as: PostgresTimestamp?.self)?.ms
        draft.currency = try row.get(10)
        draft.maxSeatsPerBuyer = try row.get(11)
        draft.needsAdmission = try row.get(12)
        draft.taxable = try row.get(13)
        draft.ticketTypes = try StoredJSON.value(try row.get(14))
        isSoldOut = try row.get(15)
        isCanceled = try row.get(16)
        version = try row.get(17)
        artistName = try row.get(18)
        venueName = try row.get(19)
        categoryName = try row.get(20)
        seats = try row.get(21)
    }

    package func status(at now: Int64) -> EventStatus {
        EventStatus(
            now: now, salesOpenAt: draft.salesOpenAt, salesCloseAt: draft.salesCloseAt, isSoldOut: isSoldOut,
            isCanceled: isCanceled)
    }

    /// How long `write` writes the same of it, by time alone.
    func staysUntil(_ now: Int64) -> Int64? {
        EventStatus.nextChange(
            now: now, salesOpenAt: draft.salesOpenAt, salesCloseAt: draft.salesCloseAt, isCanceled: isCanceled)
    }

    func write(to json: inout JSONWriter, at now: Int64) {
        json.object { json in
            json.member("id", id)
            json.member("title", draft.title)
            json.member("description", draft.description)
            json.member("artistId", draft.artistId)
            json.member("artistName", artistName)
            json.member("venueId", draft.venueId)
            json.member("venueName", venueName)
            json.member("categoryId", draft.categoryId)
            json.member("categoryName", categoryName)
            json.member("startsAt", Instant.iso8601(draft.startsAt))
            json.member("endsAt", draft.endsAt.map(Instant.iso8601))
            json.member("salesOpenAt", Instant.iso8601(draft.salesOpenAt))
            json.member("salesCloseAt", Instant.iso8601(draft.salesCloseAt))
            json.member("status", status(at: now).rawValue)
            json.member("currency", draft.currency)
            json.member("maxSeatsPerBuyer", draft.maxSeatsPerBuyer)
            json.member("needsAdmission", draft.needsAdmission)
            json.member("taxable", draft.taxable)
            json.member("ticketTypes", array: draft.ticketTypes) { json, type in
                json.object { json in
                    json.member("name", type.name)
                    json.member("price", type.price)
                }
            }
            json.member("seats", seats)
            json.member("version", version)
        }
    }
}

import Core
import HTTPTypes
import Platform

/// What every change of the catalogue shares.
enum CatalogueChange {
    static let notFound = Problem(.notFound, "not_found", detail: "there is none of this id")
    /// Our own word on it, for other services: a path that nobody serves is answered `not_found`, too.
    static let unknownEvent = Problem(.notFound, "event_not_found", detail: "there is no event of this id")
    static let versionDiffers = Problem(
        .conflict, "version_differs", detail: "it has changed since this version was read: read it again")

    static let idTaken = Problem(.conflict, "id_taken", detail: "there is one of this id already")

    static func artistUpserted(_ id: String, name: String, at instant: Int64) -> Message {
        Message(
            id: CatalogueID.make(), occurredAt: instant,
            body: .artistUpserted(ArtistUpserted(artistId: id, name: name)))
    }

    static func eventUpserted(_ id: String, title: String, artistId: String, startsAt: Int64, at instant: Int64)
        -> Message
    {
        Message(
            id: CatalogueID.make(), occurredAt: instant,
            body: .eventUpserted(
                EventUpserted(
                    eventId: id, title: title, artistId: artistId, startsAt: Instant.iso8601(startsAt))))
    }
}

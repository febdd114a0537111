import Core
import Platform

/// What an admin says of an event.
package struct EventDraft: Sendable, Equatable {
    package static let maxTitleBytes = 200
    package static let maxDescriptionBytes = 4000
    package static let maxSeatsPerBuyer: Int64 = 20
    package static let defaultSeatsPerBuyer: Int64 = 4
    /// From start to end. A list of what isn't over begins so far back.
    package static let maxDays: Int64 = 60
    /// 1970 to 9999: what has four digits for its year.
    static let instants: ClosedRange<Int64> = 0...253_402_300_799_999

    package var title: String
    package var description = ""
    package var artistId: String
    package var venueId: String?
    package var categoryId: String?
    /// Milliseconds since 1970, like the others.
    package var startsAt: Int64
    package var endsAt: Int64?
    package var salesOpenAt: Int64
    package var salesCloseAt: Int64
    package var currency = "KRW"
    package var maxSeatsPerBuyer = EventDraft.defaultSeatsPerBuyer
    package var needsAdmission = false
    package var ticketTypes: [TicketType] = []
    package var taxable = true

    package init(title: String, artistId: String, startsAt: Int64, salesOpenAt: Int64, salesCloseAt: Int64) {
        self.title = title
        self.artistId = artistId
        self.startsAt = startsAt
        self.salesOpenAt = salesOpenAt
        self.salesCloseAt = salesCloseAt
    }

    static let members: Set<String> = [
        "title", "description", "artistId", "venueId", "categoryId", "startsAt", "endsAt", "salesOpenAt",
        "salesCloseAt",
        "currency", "maxSeatsPerBuyer", "needsAdmission", "ticketTypes", "taxable",
    ]

    init(_ fields: RequestFields) throws(Problem) {
        title = try fields.text("title", bytes: 1...Self.maxTitleBytes)
        description =
            try fields.optionalText(
                "description", bytes: 0...Self.maxDescriptionBytes, isMultiline: true) ?? ""
        guard let artistId = try CatalogueID.readReference("artistId", fields) else {
            throw fields.invalid("artistId", "is missing")
        }
        self.artistId = artistId
        venueId = try CatalogueID.readReference("venueId", fields)
        categoryId = try CatalogueID.readReference("categoryId", fields)
        startsAt = try Self.instant("startsAt", fields)
        endsAt = try Self.optionalInstant("endsAt", fields)
        salesOpenAt = try Self.instant("salesOpenAt", fields)
        salesCloseAt = try Self.instant("salesCloseAt", fields)
        if let text = try fields.optionalText("currency", bytes: 3...3) {
            guard text == currency else {
                throw fields.invalid("currency", "must be KRW: payments are taken in no other", allowed: [currency])
            }
            currency = text
        }
        maxSeatsPerBuyer =
            try fields.optionalInteger("maxSeatsPerBuyer", in: 1...Self.maxSeatsPerBuyer) ?? Self.defaultSeatsPerBuyer
        needsAdmission = try fields.optionalFlag("needsAdmission") ?? false
        taxable = try fields.optionalFlag("taxable") ?? true
        for type in try fields.optionalObjects(
            "ticketTypes", count: 0...TicketType.maxTypes, known: ["name", "price"]) ?? []
        {
            ticketTypes.append(
                TicketType(
                    name: try type.text("name", bytes: 1...TicketType.maxNameBytes),
                    price: try type.integer("price", in: TicketType.prices)))
        }
        try checkTimes(fields)
    }

    private static func instant(_ name: String, _ fields: RequestFields) throws(Problem) -> Int64 {
        guard let instant = try optionalInstant(name, fields) else { throw fields.invalid(name, "is missing") }
        return instant
    }

    private static func optionalInstant(_ name: String, _ fields: RequestFields) throws(Problem) -> Int64? {
        guard let instant = try fields.optionalInstant(name) else { return nil }
        guard instants.contains(instant) else { throw fields.invalid(name, "must be from 1970 to 9999") }
        return instant
    }

    private func checkTimes(_ fields: RequestFields) throws(Problem) {
        if let endsAt {
            guard endsAt > startsAt, endsAt - startsAt <= Self.maxDays * 86_400_000 else {
                throw fields.invalid("endsAt", "must be after startsAt, by \(Self.maxDays) days at most")
            }
        }
        guard salesOpenAt < salesCloseAt else {
            throw fields.invalid("salesCloseAt", "must be after salesOpenAt")
        }
        guard salesCloseAt <= endsAt ?? startsAt else {
            throw fields.invalid(
                "salesCloseAt", "must not be after the event's end, or its start where no end is given")
        }
    }
}

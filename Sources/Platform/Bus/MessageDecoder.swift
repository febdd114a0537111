package import Core
import Foundation

/// Reads stream entries: what isn't a known message, whole and in bounds, is refused with its reason.
///
/// Fields and keys that it doesn't know are passed over, so that a service may add some before this reads them.
package enum MessageDecoder {
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let reason: String
        package var description: String { reason }
    }

    package static let maxIdBytes = 128
    package static let maxNameBytes = 1024
    package static let maxDataBytes = 64 << 10
    /// Minor units, and tickets, of one message.
    package static let maxAmount: Int64 = 1_000_000_000_000
    package static let maxTickets: Int64 = 100_000
    /// 2000 to 2099: anything else is a mistake, such as seconds taken for milliseconds.
    package static let occurredAtRange: Range<Int64> = 946_684_800_000..<4_102_444_800_000

    /// Reads an entry's fields as they came.
    package static func decode(_ entry: [StreamEntry.Field]) throws(Malformed) -> Message {
        var fields: [String: String] = [:]
        for field in entry {
            guard let name = String(validating: field.name, as: UTF8.self) else {
                throw Malformed(reason: "a field's name is not UTF-8")
            }
            // Repaired instead, two ids could become one.
            guard let value = String(validating: field.value, as: UTF8.self) else {
                throw Malformed(reason: "\(name.prefix(100)) is not UTF-8")
            }
            guard fields.updateValue(value, forKey: name) == nil else {
                throw Malformed(reason: "\(name.prefix(100)) is there twice")
            }
        }
        return try decode(fields)
    }

    package static func decode(_ fields: [String: String]) throws(Malformed) -> Message {
        let id = try identifier(fields["id"], "id")
        guard let type = fields["type"] else { throw Malformed(reason: "type is missing") }
        guard let kind = Message.Kind(rawValue: type) else {
            throw Malformed(reason: "unknown type \(type.prefix(100))")
        }
        guard let occurred = fields["occurredAt"] else { throw Malformed(reason: "occurredAt is missing") }
        guard let occurredAt = Instant.parse(occurred) else {
            throw Malformed(reason: "occurredAt is not an ISO 8601 date-time with an offset")
        }
        guard occurredAtRange.contains(occurredAt) else {
            throw Malformed(reason: "occurredAt is not within the years 2000 to 2099")
        }
        guard let data = fields["data"] else { throw Malformed(reason: "data is missing") }
        guard data.utf8.count <= maxDataBytes else { throw Malformed(reason: "data is over \(maxDataBytes) bytes") }
        return Message(id: id, occurredAt: occurredAt, body: try body(kind, data))
    }

    private static func body(_ kind: Message.Kind, _ data: String) throws(Malformed) -> Message.Body {
        switch kind {
        case .paymentCompleted:
            let body = try parse(data, as: PaymentCompleted.self)
            try check(ids: ["paymentId": body.paymentId, "eventId": body.eventId, "artistId": body.artistId])
            try check(visitorId: body.visitorId)
            try checkMoney(body.amount, body.currency, body.tickets)
            return .paymentCompleted(body)
        case .paymentRefunded:
            let body = try parse(data, as: PaymentRefunded.self)
            try check(ids: [
                "refundId": body.refundId, "paymentId": body.paymentId, "eventId": body.eventId,
                "artistId": body.artistId,
            ])
            try check(visitorId: body.visitorId)
            try checkMoney(body.amount, body.currency, body.tickets)
            return .paymentRefunded(body)
        case .paymentFailed:
            let body = try parse(data, as: PaymentFailed.self)
            try check(ids: ["paymentId": body.paymentId, "reservationId": body.reservationId, "code": body.code])
            return .paymentFailed(body)
        case .reservationHeld: return .reservationHeld(try reservation(data))
        case .reservationConfirmed: return .reservationConfirmed(try reservation(data))
        case .reservationExpired: return .reservationExpired(try reservation(data))
        case .reservationCanceled: return .reservationCanceled(try reservation(data))
        case .refundDue:
            let body = try parse(data, as: RefundDue.self)
            try check(ids: [
                "cancellationId": body.cancellationId, "reservationId": body.reservationId, "paymentId": body.paymentId,
            ])
            try check(name: body.reason, "reason")
            try checkMoney(body.amount, body.currency, body.tickets)
            return .refundDue(body)
        case .artistUpserted:
            let body = try parse(data, as: ArtistUpserted.self)
            try check(ids: ["artistId": body.artistId])
            try check(name: body.name, "name")
            return .artistUpserted(body)
        case .eventUpserted:
            let body = try parse(data, as: EventUpserted.self)
            try check(ids: ["eventId": body.eventId])
            if let artistId = body.artistId { try check(ids: ["artistId": artistId]) }
            try check(name: body.title, "title")
            if let startsAt = body.startsAt, Instant.parse(startsAt) == nil {
                throw Malformed(reason: "data.startsAt is not an ISO 8601 date-time with an offset")
            }
            return .eventUpserted(body)
        case .eventAvailability:
            let body = try parse(data, as: EventAvailability.self)
            try check(ids: ["eventId": body.eventId])
            return .eventAvailability(body)
        case .userRegistered:
            let body = try parse(data, as: UserRegistered.self)
            try check(ids: ["userId": body.userId])
            return .userRegistered(body)
        case .userLoggedIn:
            let body = try parse(data, as: UserLoggedIn.self)
            try check(ids: ["userId": body.userId])
            return .userLoggedIn(body)
        }
    }

    private static func reservation(_ data: String) throws(Malformed) -> ReservationChanged {
        let body = try parse(data, as: ReservationChanged.self)
        try check(ids: ["reservationId": body.reservationId, "eventId": body.eventId, "artistId": body.artistId])
        try check(visitorId: body.visitorId)
        return body
    }

    private static func parse<Body: Decodable>(_ data: String, as type: Body.Type) throws(Malformed) -> Body {
        do {
            return try JSONDecoder().decode(type, from: Data(data.utf8))
        } catch DecodingError.keyNotFound(let key, _) {
            throw Malformed(reason: "data.\(key.stringValue) is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw Malformed(reason: path.isEmpty ? "data is not an object" : "data.\(path) has the wrong type")
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw Malformed(reason: "data.\(path) has the wrong type")
        } catch {
            // A fraction, or more than 64 bits: the decoder doesn't say where.
            if (try? JSONSerialization.jsonObject(with: Data(data.utf8), options: .fragmentsAllowed)) != nil {
                throw Malformed(reason: "data has a number that is no 64-bit integer")
            }
            throw Malformed(reason: "data is not JSON")
        }
    }

    // MARK: Rules

    private static func identifier(_ value: String?, _ field: String) throws(Malformed) -> String {
        guard let value else { throw Malformed(reason: "\(field) is missing") }
        guard (1...maxIdBytes).contains(value.utf8.count) else {
            throw Malformed(reason: "\(field) is not of 1 to \(maxIdBytes) bytes")
        }
        guard !hasControls(value) else {
            throw Malformed(reason: "\(field) has a control character")
        }
        return value
    }

    /// Those of ASCII and of Latin-1: terminals obey both.
    private static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
    }

    private static func check(ids: KeyValuePairs<String, String>) throws(Malformed) {
        for (field, value) in ids { _ = try identifier(value, "data." + field) }
    }

    private static func check(visitorId: String?) throws(Malformed) {
        if let visitorId { try check(ids: ["visitorId": visitorId]) }
    }

    private static func check(name: String, _ field: String) throws(Malformed) {
        guard (1...maxNameBytes).contains(name.utf8.count), !hasControls(name) else {
            throw Malformed(reason: "data.\(field) is not of 1 to \(maxNameBytes) bytes without control characters")
        }
    }

    private static func checkMoney(_ amount: Int64, _ currency: String, _ tickets: Int64) throws(Malformed) {
        guard (0...maxAmount).contains(amount) else {
            throw Malformed(reason: "data.amount is not between 0 and \(maxAmount)")
        }
        guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            throw Malformed(reason: "data.currency is not three capital letters")
        }
        guard (0...maxTickets).contains(tickets) else {
            throw Malformed(reason: "data.tickets is not between 0 and \(maxTickets)")
        }
    }
}

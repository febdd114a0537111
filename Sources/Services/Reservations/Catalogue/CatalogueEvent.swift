import Core
import Foundation

/// An event as Events tells of it (`GET /internal/events/ID`, docs/booking.md): its sales and its seats.
struct CatalogueEvent: Sendable, Equatable {
    static let maxSeats = 100_000
    static let maxTextBytes = 1024
    static let maxSeatTextBytes = 64
    /// Minor units: all seats of a reservation together stay within what a message may carry.
    static let maxPrice: Int64 = 1_000_000_000
    static let maxSeatsPerBuyer = 100

    enum Status: String, Sendable {
        case scheduled, canceled
        /// Neither: nothing is sold.
        case closed
    }

    struct Seat: Sendable, Equatable {
        var id: String
        var section: String
        var row: String
        var number: String
        var price: Int64
    }

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    var id: String
    var title: String
    var artistId: String
    var status: Status
    var salesOpenAt: Int64
    var salesCloseAt: Int64
    var startsAt: Int64
    var currency: String
    var maxSeatsPerBuyer: Int
    var needsAdmission: Bool
    var version: Int64
    var seats: [Seat]

    /// - Parameter json: the answer's body.
    init(_ json: some Sequence<UInt8>) throws {
        let told = try JSONDecoder().decode(Told.self, from: Data(json))
        func text(_ value: String, _ name: String, max: Int) throws -> String {
            guard (1...max).contains(value.utf8.count), !value.utf8.contains(where: { $0 < 0x20 }) else {
                throw Malformed(description: "\(name) is not of 1 to \(max) bytes without control characters")
            }
            return value
        }
        func instant(_ value: String, _ name: String) throws -> Int64 {
            guard let instant = Instant.parse(value) else { throw Malformed(description: "\(name) is no instant") }
            return instant
        }
        id = told.id
        title = try text(told.title, "title", max: Self.maxTextBytes)
        artistId = try text(told.artistId, "artistId", max: 128)
        status =
            switch told.status {
            case "scheduled", "on_sale": .scheduled
            case "canceled": .canceled
            default: .closed
            }
        startsAt = try instant(told.startsAt, "startsAt")
        salesOpenAt = try told.salesOpenAt.map { try instant($0, "salesOpenAt") } ?? 0
        salesCloseAt = try told.salesCloseAt.map { try instant($0, "salesCloseAt") } ?? startsAt
        currency = told.currency
        guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            throw Malformed(description: "currency is not three capital letters")
        }
        guard told.maxSeatsPerBuyer > 0 else { throw Malformed(description: "maxSeatsPerBuyer is not positive") }
        maxSeatsPerBuyer = min(told.maxSeatsPerBuyer, Self.maxSeatsPerBuyer)
        needsAdmission = told.needsAdmission
        version = told.version
        guard told.seats.count <= Self.maxSeats else {
            throw Malformed(description: "more than \(Self.maxSeats) seats")
        }
        seats = try told.seats.map { seat in
            guard (0...Self.maxPrice).contains(seat.price) else {
                throw Malformed(description: "a price is out of bounds")
            }
            return Seat(
                id: try text(seat.id, "a seat's id", max: Self.maxSeatTextBytes),
                section: try text(seat.section, "a section", max: Self.maxSeatTextBytes),
                row: try text(seat.row, "a row", max: Self.maxSeatTextBytes),
                number: try text(seat.number, "a seat's number", max: Self.maxSeatTextBytes), price: seat.price)
        }
        guard Set(seats.map(\.id)).count == seats.count else { throw Malformed(description: "two seats share an id") }
    }

    /// The JSON's own shape.
    private struct Told: Decodable {
        struct Seat: Decodable {
            let id: String
            let section: String
            let row: String
            let number: String
            let price: Int64
        }
        let id: String
        let title: String
        let artistId: String
        let status: String
        let salesOpenAt: String?
        let salesCloseAt: String?
        let startsAt: String
        let currency: String
        let maxSeatsPerBuyer: Int
        let needsAdmission: Bool
        let version: Int64
        let seats: [Seat]
    }
}

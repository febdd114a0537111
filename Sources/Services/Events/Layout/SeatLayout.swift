import Platform

/// The seats of an event: sections of one price, their rows, and in each row seats with running numbers.
package struct SeatLayout: Codable, Sendable, Equatable {
    package static let maxSeats: Int64 = 20_000
    package static let maxSections = 100
    package static let maxRows = 500
    package static let maxSeatsOfRow: Int64 = 500
    /// Of a section's or a row's name.
    package static let maxNameBytes = 16

    package struct Section: Codable, Sendable, Equatable {
        package var name: String
        /// Of each seat, in minor units.
        package var price: Int64
        package var rows: [Row]

        package init(name: String, price: Int64, rows: [Row]) {
            self.name = name
            self.price = price
            self.rows = rows
        }
    }

    package struct Row: Codable, Sendable, Equatable {
        package var name: String
        package var firstNumber: Int64
        package var seats: Int64

        package init(name: String, firstNumber: Int64 = 1, seats: Int64) {
            self.name = name
            self.firstNumber = firstNumber
            self.seats = seats
        }

        var numbers: Range<Int64> { firstNumber..<(firstNumber + seats) }
    }

    package var sections: [Section]

    package init(sections: [Section]) {
        self.sections = sections
    }

    package var seatCount: Int64 { sections.reduce(0) { $0 + $1.rows.reduce(0) { $0 + $1.seats } } }

    /// Unique in the layout, and the same for the same place in another one: names have no `-`.
    static func seatID(_ section: Section, _ row: Row, _ number: Int64) -> String {
        "\(section.name)-\(row.name)-\(number)"
    }

    /// As `/api/events/ID/layout` answers it.
    func write(to json: inout JSONWriter, eventId: String, currency: String, version: Int64) {
        json.object { json in
            json.member("eventId", eventId)
            json.member("currency", currency)
            json.member("version", version)
            json.member("seats", seatCount)
            json.member("sections", array: sections) { json, section in
                json.object { json in
                    json.member("name", section.name)
                    json.member("price", section.price)
                    json.member("rows", array: section.rows) { json, row in
                        json.object { json in
                            json.member("name", row.name)
                            json.member("seats", array: row.numbers) { json, number in
                                json.object { json in
                                    json.member("id", Self.seatID(section, row, number))
                                    json.member("number", String(number))
                                    json.member("price", section.price)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    package struct Seat: Sendable, Equatable {
        package var id: String
        package var section: String
        package var row: String
        package var number: String
        package var price: Int64
    }

    /// As Reservations copies them: flat.
    package var seats: [Seat] {
        sections.flatMap { section in
            section.rows.flatMap { row in
                row.numbers.map { number in
                    Seat(
                        id: Self.seatID(section, row, number), section: section.name, row: row.name,
                        number: String(number), price: section.price)
                }
            }
        }
    }
}

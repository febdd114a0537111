import Platform

extension SeatLayout {
    /// A template with a price for each of its sections, or sections with rows.
    static let members: Set<String> = ["template", "prices", "sections", "version"]

    init(_ fields: RequestFields) throws {
        if let template = try fields.optionalChoice("template", of: LayoutTemplate.self) {
            guard !fields.has("sections") else {
                throw fields.invalid("sections", "must not stand beside a template, which has its own")
            }
            self = try Self.layout(of: template, fields)
        } else {
            guard !fields.has("prices") else {
                throw fields.invalid("prices", "is for a template: sections have a price each")
            }
            self = try Self.layout(sections: fields)
        }
    }

    private static func layout(of template: LayoutTemplate, _ fields: RequestFields) throws -> SeatLayout {
        let names = template.sections.map(\.name)
        var prices: [String: Int64] = [:]
        for price in try fields.objects("prices", count: 1...maxSections, known: ["section", "price"]) {
            let section = try price.text("section", bytes: 1...maxNameBytes)
            guard names.contains(section) else {
                throw price.invalid("section", "must be one of the template's", allowed: names)
            }
            guard prices.updateValue(try price.integer("price", in: TicketType.prices), forKey: section) == nil
            else { throw price.invalid("section", "has a price already") }
        }
        return try template.layout { section in
            guard let price = prices[section] else {
                throw fields.invalid("prices", "must have a price for each of \(names.joined(separator: ", "))")
            }
            return price
        }
    }

    private static func layout(sections fields: RequestFields) throws -> SeatLayout {
        var layout = SeatLayout(sections: [])
        var seats: Int64 = 0
        var names: Set<String> = []
        for section in try fields.objects("sections", count: 1...maxSections, known: ["name", "price", "rows"]) {
            let sectionName = try name(section)
            guard names.insert(sectionName).inserted else {
                throw section.invalid("name", "is that of another section, too")
            }
            var rowNames: Set<String> = []
            let price = try section.integer("price", in: TicketType.prices)
            var rows: [Row] = []
            for row in try section.objects("rows", count: 1...maxRows, known: ["name", "firstNumber", "seats"]) {
                let rowName = try name(row)
                guard rowNames.insert(rowName).inserted else {
                    throw row.invalid("name", "is that of another row of the section, too")
                }
                rows.append(
                    Row(
                        name: rowName, firstNumber: try row.optionalInteger("firstNumber", in: 0...9999) ?? 1,
                        seats: try row.integer("seats", in: 1...maxSeatsOfRow)))
                seats += rows[rows.count - 1].seats
                guard seats <= maxSeats else {
                    throw fields.invalid("sections", "must have \(maxSeats) seats at most")
                }
            }
            layout.sections.append(Section(name: sectionName, price: price, rows: rows))
        }
        return layout
    }

    /// Part of the seats' ids.
    private static func name(_ fields: RequestFields) throws -> String {
        let name = try fields.text("name", bytes: 1...maxNameBytes)
        guard name.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5a).contains($0 & 0xdf) }) else {
            throw fields.invalid("name", "must be 1 to \(maxNameBytes) of A-Z, a-z and 0-9")
        }
        return name
    }
}

/// Layouts of the sizes that halls have.
package enum LayoutTemplate: String, CaseIterable, Sendable {
    /// 265 seats.
    case small
    /// 1,250 seats.
    case hall
    /// 4,900 seats.
    case arena

    /// Sections in the order of the stage's distance: name, rows, seats a row.
    package var sections: [(name: String, rows: Int, seats: Int64)] {
        switch self {
        case .small: [("VIP", 3, 15), ("R", 5, 20), ("S", 6, 20)]
        case .hall: [("VIP", 5, 30), ("R", 10, 40), ("S", 14, 50)]
        case .arena: [("FLOOR", 20, 50), ("R", 20, 60), ("S", 30, 60), ("A", 18, 50)]
        }
    }

    /// - Parameter price: of a section.
    package func layout(price: (String) throws -> Int64) rethrows -> SeatLayout {
        SeatLayout(
            sections: try sections.map { section in
                SeatLayout.Section(
                    name: section.name, price: try price(section.name),
                    rows: (1...section.rows).map { SeatLayout.Row(name: String($0), seats: section.seats) })
            })
    }
}

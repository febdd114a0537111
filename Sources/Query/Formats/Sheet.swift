/// An answer as rows and columns, for the formats that have nothing else: table, CSV and NDJSON.
package struct Sheet: Equatable, Sendable {
    package enum Cell: Equatable, Sendable {
        case text(String?)
        case count(Int64?)
        /// Minor units.
        case money(Int64?, currency: String)
        case seconds(Int64?)
        /// Tenths of a percent.
        case change(Int64?)
    }

    package struct Column: Equatable, Sendable {
        /// As in the JSON.
        package let name: String
        /// For people.
        package let heading: String
        package let isNumber: Bool

        static func text(_ name: String, _ heading: String) -> Column {
            Column(name: name, heading: heading, isNumber: false)
        }

        static func number(_ name: String, _ heading: String) -> Column {
            Column(name: name, heading: heading, isNumber: true)
        }
    }

    /// What the rows are about, for people.
    package var title: String
    package var columns: [Column]
    package var rows: [[Cell]]
    /// The last line of a table; not in CSV and NDJSON, where it would be one row too many.
    package var footer: [Cell]?
    package var notes: [String] = []
}

package import Core

package struct FunnelAnswer: Answer, Equatable {
    package struct Row: Equatable, Sendable {
        package var label: String
        package var numbers: FunnelNumbers
    }

    package var eventID: String
    package var name: String?
    package var days: ClosedRange<Day>
    package var granularity: Granularity
    package var timeZone: String
    package var rows: [Row]
    package var freshness: Freshness
    package var complete: Bool
    package var explanation = Explanation()

    package var total: FunnelNumbers { rows.reduce(into: FunnelNumbers()) { $0 += $1.numbers } }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("eventId", eventID)
            json.member("eventName", name)
            json.member("period") { json in
                json.member("start", days.lowerBound.description)
                json.member("end", days.upperBound.description)
            }
            json.member("granularity", granularity.rawValue)
            json.member("funnel", array: rows) { json, row in
                json.object { json in
                    json.member("date", row.label)
                    row.numbers.write(to: &json)
                }
            }
            json.member("total") { json in
                total.write(to: &json)
                json.member("conversion", tenths: total.conversion)
            }
            freshness.write(to: &json, complete: complete)
        }
    }

    package var sheet: Sheet {
        func cells(_ numbers: FunnelNumbers) -> [Sheet.Cell] {
            [
                .count(numbers.views), .count(numbers.seatViews), .count(numbers.reservations),
                .count(numbers.payments),
            ]
        }
        return Sheet(
            title: "funnel of \(name.map { "\($0) (event \(eventID))" } ?? "event \(eventID)"), "
                + "\(days.lowerBound) to \(days.upperBound), \(granularity.rawValue), \(timeZone)",
            columns: [
                .text("date", "date"), .number("views", "views"), .number("seatViews", "seat views"),
                .number("reservations", "reservations"), .number("payments", "payments"),
            ],
            rows: rows.map { [.text($0.label)] + cells($0.numbers) },
            footer: [.text("total")] + cells(total),
            notes: (total.conversion.map { ["\(NumberText.tenths($0)) payments for 100 views"] } ?? [])
                + [freshness.note(complete: complete)])
    }
}

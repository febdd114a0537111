package import Core
package import Platform

package struct FunnelAnswer: Answer, Equatable {
    package struct Row: Equatable, Sendable {
        package var label: String
        package var numbers: FunnelNumbers
        /// Nil where days can't say: of hours, and of days of another zone.
        package var visitors: FunnelVisitors?
    }

    package var eventID: String
    package var name: String?
    package var days: ClosedRange<Day>
    package var granularity: Granularity
    package var timeZone: String
    package var reportingZone: String
    package var rows: [Row]
    /// Who came in several buckets counts once, so these are no sums.
    package var totalVisitors: FunnelVisitors?
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
                    FunnelVisitors.write(row.visitors, to: &json)
                }
            }
            json.member("total") { json in
                total.write(to: &json)
                FunnelVisitors.write(totalVisitors, to: &json)
                json.member("conversion", tenths: total.conversion)
                json.member("visitorConversion", tenths: totalVisitors?.conversion)
            }
            freshness.write(to: &json, complete: complete)
        }
    }

    package var sheet: Sheet {
        func cells(_ numbers: FunnelNumbers, _ visitors: FunnelVisitors?) -> [Sheet.Cell] {
            [
                .count(numbers.views), .count(numbers.seatViews), .count(numbers.reservations),
                .count(numbers.payments), .count(visitors?.viewers), .count(visitors?.seatViewers),
                .count(visitors?.reservers), .count(visitors?.payers), .count(visitors?.reservationsWithoutVisitor),
                .count(visitors?.paymentsWithoutVisitor),
            ]
        }
        return Sheet(
            title: "funnel of \(name.map { "\($0) (event \(eventID))" } ?? "event \(eventID)"), "
                + "\(days.lowerBound) to \(days.upperBound), \(granularity.rawValue), \(timeZone)",
            columns: [
                .text("date", "date"), .number("views", "views"), .number("seatViews", "seat views"),
                .number("reservations", "reservations"), .number("payments", "payments"),
                .number("viewers", "viewers"), .number("seatViewers", "seat viewers"),
                .number("reservers", "reservers"), .number("payers", "payers"),
                .number("reservationsWithoutVisitor", "res. of nobody"),
                .number("paymentsWithoutVisitor", "pay. of nobody"),
            ],
            rows: rows.map { [.text($0.label)] + cells($0.numbers, $0.visitors) },
            footer: [.text("total")] + cells(total, totalVisitors), notes: notes)
    }

    private var notes: [String] {
        var notes: [String] = []
        if let conversion = total.conversion { notes.append("\(NumberText.tenths(conversion)) payments for 100 views") }
        if let visitors = totalVisitors {
            if let conversion = visitors.conversion {
                notes.append("\(NumberText.tenths(conversion)) payers for 100 viewers")
            }
            if visitors.reservationsWithoutVisitor > 0 || visitors.paymentsWithoutVisitor > 0 {
                notes.append(
                    "\(visitors.reservationsWithoutVisitor) of \(total.reservations) reservations and "
                        + "\(visitors.paymentsWithoutVisitor) of \(total.payments) payments don't say whose they are: "
                        + "they are in no number of visitors")
            }
        } else {
            notes.append("visitors are known by the day, the week or the month in \(reportingZone)")
        }
        return notes + [freshness.note(complete: complete)]
    }
}

package import Core
package import Platform

package struct TrafficAnswer: Answer, Equatable {
    package var subject: TrafficSubject
    package var name: String?
    package var days: ClosedRange<Day>
    package var granularity: Granularity
    package var timeZone: String
    package var traffic: [(label: String, numbers: TrafficNumbers)]
    package var total: TrafficNumbers
    package var comparison: Comparison<TrafficNumbers>?
    package var freshness: Freshness
    package var complete: Bool
    package var explanation = Explanation()

    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch subject {
            case .artist(let id):
                json.member("artistId", id)
                json.member("artistName", name)
            case .event(let id):
                json.member("eventId", id)
                json.member("eventName", name)
            case .site: break
            }
            json.member("period") { json in
                json.member("start", days.lowerBound.description)
                json.member("end", days.upperBound.description)
            }
            json.member("granularity", granularity.rawValue)
            json.member("traffic", array: traffic) { json, row in
                json.object { json in
                    json.member("date", row.label)
                    row.numbers.write(to: &json)
                }
            }
            json.member("total") { total.write(to: &$0) }
            comparison?.write(
                to: &json, beside: total,
                [
                    ("pageViews", \.pageViews), ("uniqueVisitors", \.uniqueVisitors),
                    ("avgSessionDuration", \.avgSessionDuration), ("sessions", \.sessions),
                ])
            freshness.write(to: &json, complete: complete)
        }
    }

    package var sheet: Sheet {
        let who =
            switch subject {
            case .artist(let id): name.map { "\($0) (artist \(id))" } ?? "artist \(id)"
            case .event(let id): name.map { "\($0) (event \(id))" } ?? "event \(id)"
            case .site: "whole site"
            }
        let earlier =
            comparison.map { comparison in
                [
                    comparison.note(
                        beside: total,
                        [
                            ("page views", \.pageViews, NumberText.grouped),
                            ("unique visitors", \.uniqueVisitors, NumberText.grouped),
                            ("avg session", \.avgSessionDuration, { NumberText.duration(seconds: $0) }),
                            ("sessions", \.sessions, NumberText.grouped),
                        ])
                ]
            } ?? []
        return Sheet(
            title: "\(who), \(days.lowerBound) to \(days.upperBound), \(granularity.rawValue), \(timeZone)",
            columns: [.text("date", "date")] + TrafficNumbers.columns,
            rows: traffic.map { [.text($0.label)] + $0.numbers.cells },
            footer: [.text("total")] + total.cells,
            notes: earlier + [freshness.note(complete: complete)])
    }

    package static func == (left: TrafficAnswer, right: TrafficAnswer) -> Bool { left.json == right.json }
}

package import Core
package import Platform

package struct RevenueAnswer: Answer, Equatable {
    package struct TopArtist: Equatable, Sendable {
        package var id: String
        package var name: String?
        package var revenue: Int64
    }

    package struct Row: Equatable, Sendable {
        package var label: String
        package var numbers: RevenueNumbers
        package var topArtist: TopArtist?
    }

    package var days: ClosedRange<Day>
    package var period: Granularity
    package var currency: String
    package var artistID: String?
    package var timeZone: String
    package var data: [Row]
    package var comparison: Comparison<RevenueNumbers>?
    /// Tenths of a percent.
    package var growthRate: Int64?
    package var freshness: Freshness
    package var complete: Bool
    package var explanation = Explanation()

    package var total: RevenueNumbers { data.reduce(into: RevenueNumbers()) { $0 += $1.numbers } }
    package var avgRevenue: Int64 { Rounded.quotient(total.revenue, Int64(data.count)) }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("period", period.rawValue)
            json.member("currency", currency)
            json.member("data", array: data) { json, row in
                json.object { json in
                    json.member("date", row.label)
                    if period == .monthly { json.member("month", row.label) }
                    json.member("revenue", row.numbers.revenue)
                    json.member("ticketsSold", row.numbers.ticketsSold)
                    json.member("refunds", row.numbers.refunds)
                    json.member("avgTicketPrice", row.numbers.avgTicketPrice)
                    if let top = row.topArtist {
                        json.member("topArtist") { json in
                            json.member("id", top.id)
                            json.member("name", top.name)
                            json.member("revenue", top.revenue)
                        }
                    } else {
                        json.member("topArtist", raw: "null")
                    }
                }
            }
            json.member("summary") { json in
                json.member("totalRevenue", total.revenue)
                json.member("avgRevenue", avgRevenue)
                if period == .monthly { json.member("avgMonthlyRevenue", avgRevenue) }
                json.member("growthRate", tenths: growthRate)
            }
            comparison?.write(
                to: &json, beside: total,
                [("revenue", \.revenue), ("ticketsSold", \.ticketsSold), ("refunds", \.refunds)])
            freshness.write(to: &json, complete: complete)
        }
    }

    package var sheet: Sheet {
        func cells(_ numbers: RevenueNumbers) -> [Sheet.Cell] {
            [
                .money(numbers.revenue, currency: currency), .count(numbers.ticketsSold),
                .money(numbers.refunds, currency: currency), .money(numbers.avgTicketPrice, currency: currency),
            ]
        }
        let growth = growthRate.map { ", growth \(NumberText.tenths($0)) %" } ?? ""
        return Sheet(
            title: "revenue in \(currency)\(artistID.map { " of artist \($0)" } ?? ""), "
                + "\(days.lowerBound) to \(days.upperBound), \(period.rawValue), \(timeZone)",
            columns: [
                .text("date", "date"), .number("revenue", "revenue"), .number("ticketsSold", "tickets"),
                .number("refunds", "refunds"), .number("avgTicketPrice", "avg price"),
                .text("topArtistId", "top artist"), .text("topArtistName", "name"),
                .number("topArtistRevenue", "its revenue"),
            ],
            rows: data.map { row in
                [.text(row.label)] + cells(row.numbers) + [
                    .text(row.topArtist?.id), .text(row.topArtist?.name),
                    .money(row.topArtist?.revenue, currency: currency),
                ]
            },
            footer: [.text("total")] + cells(total) + [.text(""), .text(""), .text("")],
            notes: [
                comparison?.note(
                    beside: total,
                    [
                        ("revenue", \.revenue, { NumberText.money($0, currency) }),
                        ("tickets", \.ticketsSold, NumberText.grouped),
                        ("refunds", \.refunds, { NumberText.money($0, currency) }),
                    ]),
                "average \(NumberText.money(avgRevenue, currency)) a \(period.noun)\(growth)",
                freshness.note(complete: complete),
            ].compactMap { $0 })
    }
}

extension Granularity {
    var noun: String {
        switch self {
        case .hourly: "hour"
        case .daily: "day"
        case .weekly: "week"
        case .monthly: "month"
        }
    }
}

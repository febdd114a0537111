package import Core
package import Platform

package struct DashboardAnswer: Answer, Equatable {
    /// A number beside the one of the period before.
    package struct Compared: Equatable, Sendable {
        package var value: Int64
        package var previous: Int64

        /// Tenths of a percent; nil where there was nothing before.
        package var change: Int64? { Rounded.change(from: previous, to: value) }
    }

    package struct Totals: Equatable, Sendable {
        package var days: ClosedRange<Day>
        package var traffic: TrafficNumbers
        package var trafficBefore: TrafficNumbers
        /// By currency; KRW is always there.
        package var revenue: [String: RevenueNumbers]
        package var revenueBefore: [String: RevenueNumbers]

        package static let mainCurrency = "KRW"

        func compared(_ number: KeyPath<TrafficNumbers, Int64>) -> Compared {
            Compared(value: traffic[keyPath: number], previous: trafficBefore[keyPath: number])
        }

        func compared(_ number: KeyPath<RevenueNumbers, Int64>, in currency: String) -> Compared {
            Compared(
                value: revenue[currency]?[keyPath: number] ?? 0,
                previous: revenueBefore[currency]?[keyPath: number] ?? 0)
        }

        var otherCurrencies: [String] {
            Set(revenue.keys).union(revenueBefore.keys).subtracting([Self.mainCurrency]).sorted()
        }
    }

    package var today: Totals
    package var lastDays: Totals
    package var topArtists: [TopAnswer.Row]
    package var topEvents: [TopAnswer.Row]
    /// Nil where Redis can't be reached.
    package var visitorsLast5Minutes: Int64?
    package var funnel: FunnelNumbers
    package var freshness: Freshness
    package var complete: Bool
    package var explanation = Explanation()

    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("today") { write(today, to: &$0) }
            json.member("last30Days") { write(lastDays, to: &$0) }
            json.member("topArtists", array: topArtists.enumerated()) {
                write($1.element, rank: $1.offset + 1, to: &$0)
            }
            json.member("topEvents", array: topEvents.enumerated()) { write($1.element, rank: $1.offset + 1, to: &$0) }
            json.member("visitorsLast5Minutes", visitorsLast5Minutes)
            json.member("funnel") { funnel.write(to: &$0) }
            json.member("freshness", object: freshness.writeBacklog)
            freshness.write(to: &json, complete: complete)
        }
    }

    private func write(_ totals: Totals, to json: inout JSONWriter) {
        json.member("period") { json in
            json.member("start", totals.days.lowerBound.description)
            json.member("end", totals.days.upperBound.description)
        }
        write("pageViews", totals.compared(\.pageViews), to: &json)
        write("uniqueVisitors", totals.compared(\.uniqueVisitors), to: &json)
        write("avgSessionDuration", totals.compared(\.avgSessionDuration), to: &json)
        write("sessions", totals.compared(\.sessions), to: &json)
        json.member("currency", Totals.mainCurrency)
        write("revenue", totals.compared(\.revenue, in: Totals.mainCurrency), to: &json)
        write("ticketsSold", totals.compared(\.ticketsSold, in: Totals.mainCurrency), to: &json)
        json.member("otherCurrencies", array: totals.otherCurrencies) { json, currency in
            json.object { json in
                json.member("currency", currency)
                write("revenue", totals.compared(\.revenue, in: currency), to: &json)
                write("ticketsSold", totals.compared(\.ticketsSold, in: currency), to: &json)
            }
        }
    }

    private func write(_ name: String, _ compared: Compared, to json: inout JSONWriter) {
        json.member(name) { json in
            json.member("value", compared.value)
            json.member("previous", compared.previous)
            json.member("change", tenths: compared.change)
        }
    }

    private func write(_ row: TopAnswer.Row, rank: Int, to json: inout JSONWriter) {
        json.object { json in
            json.member("rank", Int64(rank))
            json.member("id", row.key)
            json.member("name", row.name)
            json.member("pageViews", row.value)
        }
    }

    package var sheet: Sheet {
        var rows: [[Sheet.Cell]] = []
        for (period, totals) in [("today", today), ("last 30 days", lastDays)] {
            func row(_ name: String, _ compared: Compared, _ cell: (Int64?) -> Sheet.Cell) {
                rows.append(
                    [
                        .text(period), .text(name), cell(compared.value), cell(compared.previous),
                        .change(compared.change),
                    ])
            }
            row("page views", totals.compared(\.pageViews)) { .count($0) }
            row("unique visitors", totals.compared(\.uniqueVisitors)) { .count($0) }
            row("avg session", totals.compared(\.avgSessionDuration)) { .seconds($0) }
            row("sessions", totals.compared(\.sessions)) { .count($0) }
            for currency in [Totals.mainCurrency] + totals.otherCurrencies {
                row("revenue \(currency)", totals.compared(\.revenue, in: currency)) { .money($0, currency: currency) }
                row("tickets \(currency)", totals.compared(\.ticketsSold, in: currency)) { .count($0) }
            }
        }
        func single(_ period: String, _ name: String, _ value: Int64?) {
            rows.append([.text(period), .text(name), .count(value), .count(nil), .change(nil)])
        }
        single("now", "visitors in 5 minutes", visitorsLast5Minutes)
        single("funnel", "views", funnel.views)
        single("funnel", "seat views", funnel.seatViews)
        single("funnel", "reservations", funnel.reservations)
        single("funnel", "payments", funnel.payments)
        for (list, items) in [("top artists", topArtists), ("top events", topEvents)] {
            for item in items { single(list, item.name ?? item.key ?? "-", item.value) }
        }
        return Sheet(
            title: "dashboard, \(today.days.lowerBound)",
            columns: [
                .text("period", "period"), .text("number", "number"), .number("value", "value"),
                .number("previous", "before"), .number("change", "change"),
            ],
            rows: rows,
            notes: [
                "as of \(Instant.iso8601(freshness.asOf)), \(NumberText.grouped(freshness.pendingBatches)) batches pending"
            ])
    }
}

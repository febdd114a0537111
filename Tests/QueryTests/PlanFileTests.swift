import Core
import Foundation
import Storage
import Testing

@testable import Query

/// How questions are answered, step by step, in Tests/Plans: the buckets they are cut into, the rows that make up each of
/// them, and the statement that reads those. `TIKETI_WRITE_PLANS=1` writes the files anew.
@Suite struct PlanFileTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../Plans").standardizedFileURL
    /// 2025-12-05 19:30 in Seoul.
    private static let context = PlanContext(now: Instant.parse("2025-12-05T10:30:00Z")!, reporting: .seoul)

    private enum Kind {
        case artist, revenue, topArtists, topPaths, funnel
    }

    private struct Case {
        var name: String
        var kind = Kind.artist
        var start: String?
        var end: String?
        var granularity = Granularity.daily
        var zone: String?
        var dirtyDays: [String] = []
        var dirtyHours: [String] = []
        var pruned: [String] = []
        var cutDays: [String] = []
    }

    private static let cases = [
        Case(name: "daily", start: "2025-11-01", end: "2025-11-10"),
        Case(name: "daily-to-today"),
        Case(
            name: "daily-with-stale-days", start: "2025-11-01", end: "2025-11-10",
            dirtyDays: ["2025-11-03", "2025-11-04"]),
        Case(
            name: "daily-late-into-pruned-hours", start: "2023-05-01", end: "2023-05-03", dirtyDays: ["2023-05-02"],
            pruned: ["2023-05-02"]),
        Case(name: "daily-of-another-zone", start: "2025-11-01", end: "2025-11-02", zone: "Europe/Berlin"),
        Case(name: "hourly", start: "2025-11-01", end: "2025-11-01", granularity: .hourly),
        Case(name: "weekly-across-years", start: "2024-12-28", end: "2025-01-08", granularity: .weekly),
        Case(name: "monthly", start: "2024-11-01", end: "2025-10-31", granularity: .monthly),
        Case(name: "monthly-in-parts", start: "2025-08-15", end: "2025-12-05", granularity: .monthly),
        Case(
            name: "monthly-with-a-stale-day", start: "2025-01-01", end: "2025-03-31", granularity: .monthly,
            dirtyDays: ["2025-02-14"]),
        Case(name: "revenue-monthly", kind: .revenue, start: "2025-09-01", end: "2025-11-30", granularity: .monthly),
        Case(
            name: "revenue-with-a-stale-hour", kind: .revenue, start: "2025-11-01", end: "2025-11-03",
            dirtyHours: ["2025-11-02T03:00:00Z"]),
        Case(name: "top-artists", kind: .topArtists, start: "2025-08-15", end: "2025-11-30"),
        Case(
            name: "top-artists-with-stale-days", kind: .topArtists, start: "2025-11-01", end: "2025-11-30",
            dirtyDays: ["2025-11-29", "2025-11-30"]),
        Case(
            name: "top-paths-over-a-long-range", kind: .topPaths, start: "2025-10-15", end: "2025-12-05",
            dirtyDays: ["2025-12-05"], cutDays: ["2025-10-20", "2025-10-21"]),
        Case(
            name: "funnel-by-visitor", kind: .funnel, start: "2025-11-17", end: "2025-12-05", granularity: .weekly,
            dirtyHours: ["2025-12-05T03:00:00Z"]),
    ]

    @Test(arguments: cases.map(\.name))
    func thePlanIsTheOneInTheFile(name: String) throws {
        let plan = try Self.plan(Self.cases.first { $0.name == name }!)
        let file = Self.folder.appending(path: "\(name).plan")
        if ProcessInfo.processInfo.environment["TIKETI_WRITE_PLANS"] != nil {
            try Data(plan.utf8).write(to: file)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == plan)
    }

    @Test func everyFileHasItsCase() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".plan") }.map { String($0.dropLast(5)) }
        #expect(files.sorted() == Self.cases.map(\.name).sorted())
    }

    private static func plan(_ question: Case) throws -> String {
        let plan = try PeriodPlan(
            Period(
                startDate: question.start.map { Day($0)! }, endDate: question.end.map { Day($0)! },
                granularity: question.granularity, timeZone: question.zone), context)
        let dirty = DirtyBuckets(
            months: [], days: Set(question.dirtyDays.map { Day($0)! }),
            hours: Set(question.dirtyHours.map { Instant.parse($0)! }), pruned: Set(question.pruned.map { Day($0)! }),
            plan.calendar)
        var explanation = Explanation()
        let statement: SQL
        switch question.kind {
        case .artist:
            let cover = Cover(plan, dirty: dirty)
            explanation.say(cover, table: TrafficFamily.artist.table)
            statement = TrafficQueries.rows(.artist, "iu", cover)
        case .revenue:
            var parts = RevenueQueries.Parts()
            for (index, bucket) in plan.buckets.enumerated() {
                parts.append(
                    Cover(
                        bucket, from: plan.source, isMonthly: plan.granularity == .monthly, tailDay: nil, dirty: dirty,
                        plan.calendar), to: index)
            }
            explanation = parts.explanation
            statement = RevenueQueries.buckets(parts, currency: "KRW", artistID: nil)
        case .topArtists:
            let top = TopPlan(plan, dirty: dirty)
            explanation.say("months \(top.months), days \(top.days), stale \(top.dirtyDays), hours \(top.hours)")
            statement = TopQueries.ranked(.artist, .pageViews, top, limit: 10, plan.calendar)
        case .topPaths:
            let days = BreakdownPlan(
                plan.days, stale: dirty.days, cut: Set(question.cutDays.map { Day($0)! }), firstRaw: nil)
            explanation.say("traffic_breakdown_daily", days.stored)
            explanation.say("analytics_events", days.scanned)
            statement = BreakdownQueries.pageViews(nil, .path, days.stored)
        case .funnel:
            let changed = dirty.days.sorted()
            explanation.say("event_booking_daily: \(plan.days), without \(changed)")
            let ranges = changed.map { (bucket: Int32(plan.bucket(of: $0)), instants: plan.calendar.range(of: $0)) }
            statement = .unionAll([
                FunnelQueries.bookers(plan.days, except: changed, eventID: "e1"),
                FunnelQueries.bookings(ranges, eventID: "e1"),
            ])
        }
        var text = "\(question.kind) \(plan.days.lowerBound) to \(plan.days.upperBound) \(plan.granularity.rawValue)\n"
        text += "zone \(plan.calendar.identifier), from \(plan.source)"
        text += ", Redis may know more of \(plan.tailDay.map(\.description) ?? "no day")\n"
        text += "now 2025-12-05T19:30+09:00; stale days: \(list(question.dirtyDays)); stale hours: "
        text += "\(list(question.dirtyHours)); pruned: \(list(question.pruned))\n\nBuckets\n"
        for bucket in plan.buckets {
            text += "  \(bucket.label)  \(Instant.iso8601(bucket.instants.lowerBound)) until "
            text += "\(Instant.iso8601(bucket.instants.upperBound))\(bucket.isWhole ? "" : ", in part")\n"
        }
        text += "\nRows\n" + explanation.lines.map { "  \($0)\n" }.joined()
        text += "\nStatement, \(statement.binds.count) binds\n"
        return text
            + statement.text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
            .joined(separator: "\n") + "\n"
    }

    private static func list(_ values: [String]) -> String { values.isEmpty ? "none" : values.joined(separator: ", ") }
}

import Core
import Platform
import Storage

extension QueryEngine {
    /// From raw beacons alone: breakdowns are kept by the reporting day.
    func scannedTop(
        _ question: TopQuestion, _ plan: PeriodPlan, _ context: PlanContext
    ) async throws -> FoundTop {
        guard plan.days.dayCount <= TopQuestion.maxScanDays else {
            throw InvalidParameter(
                field: "startDate",
                detail: "startDate to endDate may span at most \(TopQuestion.maxScanDays) days for "
                    + "by=\(question.dimension.rawValue) outside \(context.reporting.identifier); these are "
                    + "\(plan.days.dayCount)")
        }
        let batches = FoldedBatches(
            plan.start..<plan.end, artistID: question.artistID, columns: ScannedTop.columns(question))
        return try await scans.withConnection { connection in
            try connection.transaction(isolation: .repeatableRead) { connection in
                try connection.execute(.planForValues)
                // So is a beacon of another zone's day: received on its own day or later, in UTC.
                if let first = try Self.firstRawDay(on: connection), plan.days.lowerBound < first {
                    throw InvalidParameter(
                        field: "startDate",
                        detail: "raw beacons are kept from \(first) on: ask for earlier days in "
                            + context.reporting.identifier)
                }
                var top = ScannedTop(question)
                try batches.each(on: connection) { try top.add($0) }
                var explanation = Explanation()
                explanation.say("analytics_events", [plan.days])
                return FoundTop(
                    rows: top.rows, coverage: top.coverage,
                    freshness: try FreshnessQueries.read(on: connection, now: context.now), explanation: explanation)
            }
        }
    }
}

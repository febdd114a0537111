import Core
import Storage

extension QueryEngine {
    func scannedTop(
        _ question: TopQuestion, _ plan: PeriodPlan, _ context: PlanContext
    ) async throws -> ([TopAnswer.Row], Freshness) {
        guard plan.days.dayCount <= TopQuestion.maxScanDays else {
            throw InvalidQuestion(
                field: "startDate",
                detail: "startDate to endDate may span at most \(TopQuestion.maxScanDays) days for "
                    + "by=\(question.dimension.rawValue); these are \(plan.days.dayCount)")
        }
        let batches = FoldedBatches(
            plan.start..<plan.end, artistID: question.artistID, columns: ScannedTop.columns(question))
        return try await scans.withConnection { connection in
            try connection.transaction(isolation: .repeatableRead) { connection in
                try connection.execute(.planForValues)
                var top = ScannedTop(question)
                try batches.each(on: connection) { try top.add($0) }
                return (top.rows, try FreshnessQueries.read(on: connection, now: context.now))
            }
        }
    }
}

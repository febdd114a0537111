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
                var top = ScannedTop(question)
                try batches.each(on: connection) { try top.add($0, $1) }
                return (top.rows, try FreshnessQueries.read(on: connection, now: context.now))
            }
        }
    }

    /// Writes raw beacons in order of receipt, piece by piece and in constant memory.
    ///
    /// - Parameter write: called on the connection's thread; may block, and so slows the scan down.
    package func events(
        _ question: EventsQuestion, format: AnswerFormat, write: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws {
        let plan = try PeriodPlan(question.period, context)
        let limit = min(question.limit ?? .max, format == .table ? EventLines.maxTableRows : .max)
        let batches = FoldedBatches(
            plan.start..<plan.end, artistID: question.artistID, eventID: question.eventID, columns: .all)
        try await scans.withConnection { connection in
            var lines = EventLines(format)
            do {
                // It may take as long as whoever reads it.
                try connection.withStatementTimeout(.zero) {
                    try batches.each(on: connection) { batch, rows in
                        for row in rows {
                            // A table says whether there are more.
                            if format == .table, lines.count == limit { throw LimitReached() }
                            lines.append(batch, row)
                            if lines.pending >= EventLines.maxPendingBytes { try write(lines.take()) }
                            if format != .table, lines.count == limit { throw LimitReached() }
                        }
                    }
                }
            } catch is LimitReached {
                lines.isCut = true
            }
            lines.finish()
            try write(lines.take())
        }
    }

    private struct LimitReached: Error {}
}

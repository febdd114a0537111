import Core
package import Platform
import Storage

extension QueryEngine {
    /// What an export is made of. Nothing has been asked for yet; its first piece is the first that may fail for want of
    /// a server.
    ///
    /// - Throws: `InvalidParameter`.
    package func export(
        _ question: ExportQuestion, _ format: ExportQuestion.Format
    ) throws(InvalidParameter) -> any Pieces {
        // The same answers, from connections that no dashboard waits for.
        var engine = self
        engine.answers = exports
        engine.rankings = exports
        let asking = engine
        switch question {
        case .events(let question): return try eventPieces(question, format == .csv ? .csv : .ndjson)
        case .traffic(let question):
            return try AnswerPieces(
                format, PeriodPlan.days(of: question.period, context), by: question.period.granularity
            ) { days in
                var stretch = question
                (stretch.period.startDate, stretch.period.endDate) = (days.lowerBound, days.upperBound)
                return try await asking.traffic(stretch)
            }
        case .revenue(let question):
            return try AnswerPieces(
                format, PeriodPlan.days(of: question.period, context), by: question.period.granularity
            ) { days in
                var stretch = question
                (stretch.period.startDate, stretch.period.endDate) = (days.lowerBound, days.upperBound)
                return try await asking.revenue(stretch)
            }
        case .funnel(let question):
            return try AnswerPieces(
                format, PeriodPlan.days(of: question.period, context), by: question.period.granularity
            ) { days in
                var stretch = question
                (stretch.period.startDate, stretch.period.endDate) = (days.lowerBound, days.upperBound)
                return try await asking.funnel(stretch)
            }
        case .top(let question): return AnswerPieces(format) { try await asking.top(question) }
        case .dashboard: return AnswerPieces(format) { try await asking.dashboard() }
        }
    }

    func eventPieces(
        _ question: EventsQuestion, _ format: AnswerFormat, isStyled: Bool = false
    ) throws(InvalidParameter) -> EventPieces {
        let days = try PeriodPlan.days(of: question.period, context)
        let calendar = try PeriodPlan.calendar(of: question.period, context)
        let instants = calendar.start(of: days.lowerBound)..<calendar.start(of: days.upperBound + 1)
        let batches = FoldedBatches(
            instants, artistID: question.artistID, eventID: question.eventID, columns: .all)
        return EventPieces(
            BatchPages(batches, from: exports), format: format, limit: question.limit, isStyled: isStyled)
    }

    /// Writes raw beacons in order of receipt, piece by piece and in constant memory.
    package func events(
        _ question: EventsQuestion, format: AnswerFormat, isStyled: Bool = false,
        write: ([UInt8]) async throws -> Void
    ) async throws {
        var pieces = try eventPieces(question, format, isStyled: isStyled)
        while let piece = try await pieces.next() { try await write(piece) }
    }
}

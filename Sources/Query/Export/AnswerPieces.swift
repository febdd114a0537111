import Core
import Platform

/// An answer as rows, asked for stretch by stretch where its range is longer than one answer may be.
struct AnswerPieces: Pieces {
    /// A century: a mistyped year shall not keep a connection busy for hours.
    static let maxDays = 36_600

    private let format: ExportQuestion.Format
    private let ask: @Sendable (ClosedRange<Day>?) async throws -> any Answer
    /// Nil for one without stretches.
    private let granularity: Granularity?
    private var rest: ClosedRange<Day>?
    private var count = 0
    private var isOver = false

    /// An answer whose size is bounded by what it is.
    init(_ format: ExportQuestion.Format, _ ask: @escaping @Sendable () async throws -> any Answer) {
        self.format = format
        self.ask = { _ in try await ask() }
        granularity = nil
    }

    /// - Parameter ask: called with one stretch after the other. They end where buckets end, so that these are whole.
    init(
        _ format: ExportQuestion.Format, _ days: ClosedRange<Day>, by granularity: Granularity,
        _ ask: @escaping @Sendable (ClosedRange<Day>) async throws -> any Answer
    ) throws(InvalidParameter) {
        guard days.dayCount <= Self.maxDays else {
            throw InvalidParameter(
                field: "startDate",
                detail: "startDate to endDate may span at most \(Self.maxDays) days; these are \(days.dayCount)")
        }
        self.format = format
        self.ask = { try await ask($0!) }
        self.granularity = granularity
        rest = days
    }

    mutating func next() async throws -> [UInt8]? {
        if isOver { return nil }
        var stretch: ClosedRange<Day>?
        if let days = rest, let granularity {
            let last = min(granularity.lastOfStretch(days.lowerBound), days.upperBound)
            stretch = days.lowerBound...last
            rest = last < days.upperBound ? (last + 1)...days.upperBound : nil
        }
        let sheet = try await ask(stretch).sheet
        isOver = rest == nil
        count += 1
        return Array(format.render(sheet, isFirst: count == 1).utf8)
    }
}

extension Granularity {
    /// The last day of as many whole buckets as are asked for at once.
    func lastOfStretch(_ first: Day) -> Day {
        switch self {
        case .hourly: first + 30
        case .daily: first + 365
        case .weekly: first.mondayOfWeek + (53 * 7 - 1)
        // No bucket of a later month is begun.
        case .monthly: (first + 330).firstOfNextMonth - 1
        }
    }
}

import Platform

/// How long answers take.
struct QueryMetrics: Sendable {
    enum Question: String, CaseIterable {
        case traffic, revenue, dashboard, funnel, top
    }

    private let seconds: [Question: Histogram]

    init(_ metrics: Metrics) {
        seconds = Dictionary(
            uniqueKeysWithValues: Question.allCases.map { question in
                (
                    question,
                    metrics.histogram(
                        "tiketi_query_answer_seconds", "Time from a question to its answer.",
                        labels: ["question": question.rawValue])
                )
            })
    }

    func answered(_ question: Question, after duration: Duration) {
        let (whole, attoseconds) = duration.components
        seconds[question]?.observe(Double(whole) + Double(attoseconds) * 1e-18)
    }
}

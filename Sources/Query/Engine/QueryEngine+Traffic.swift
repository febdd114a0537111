import Core
import Platform
import Storage

extension QueryEngine {
    /// - Throws: `InvalidParameter`, or what the database throws.
    package func traffic(_ question: TrafficQuestion) async throws -> TrafficAnswer {
        let context = context
        let plan = try PeriodPlan(question.period, context)
        let subject = question.subject
        let before = try question.compare.map { try plan.earlier($0, question.period, context) }
        async let counted = viewsToday(subject, plan.tailDay)
        let (reader, earlier, freshness, name) = try await snapshot { connection in
            (
                try TrafficReader(plan, subject, on: connection),
                try before.map { try TrafficReader($0, subject, on: connection) },
                try FreshnessQueries.read(on: connection, now: context.now),
                try NameQueries.read(subject.family, [subject.entity], on: connection)[ExactText(subject.entity)]
            )
        }
        var buckets = reader.buckets.map(\.numbers)
        var explanation = reader.explanation
        var total = reader.totalCell.numbers
        // With nothing pending the rollups hold all that Redis was told, and no repeats.
        if freshness.oldestPending != nil, let day = plan.tailDay, let views = await counted,
            views > reader.tailDayViews
        {
            let unfolded = views - reader.tailDayViews
            // They came in just now; in an hourly answer that is this hour.
            let bucket = plan.granularity == .hourly ? plan.bucket(of: context.now) : plan.bucket(of: day)
            buckets[bucket].pageViews += unfolded
            total.pageViews += unfolded
            explanation.say("Redis: \(NumberText.grouped(unfolded)) page views of \(day) that are not folded yet")
        }
        return TrafficAnswer(
            subject: subject, name: name, days: plan.days, granularity: plan.granularity,
            timeZone: plan.timeZone, traffic: zip(plan.buckets, buckets).map { ($0.label, $1) },
            total: total,
            comparison: earlier.map { Comparison(days: before!.days, total: $0.totalCell.numbers) },
            freshness: freshness, complete: plan.end <= freshness.asOf, explanation: explanation)
    }
}

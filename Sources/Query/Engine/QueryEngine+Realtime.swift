import Core
import Storage

extension QueryEngine {
    static let realtimeMinutes = 5
    static let maxRealtimeBookings = 10

    package func realtime() async throws -> RealtimeAnswer {
        let now = now()
        async let visitors = visitorsLast5Minutes()
        async let minutes = lastMinutes(now)
        let (bookings, freshness) = try await snapshot { connection in
            (
                try connection.query(BookingQueries.latest(before: now, limit: Self.maxRealtimeBookings))
                    .map { try RealtimeAnswer.Booking($0) },
                try FreshnessQueries.ofEverything(on: connection, now: now)
            )
        }
        return RealtimeAnswer(
            visitorsLast5Minutes: await visitors, minutes: await minutes, bookings: bookings, freshness: freshness,
            now: now)
    }

    private func lastMinutes(_ now: Int64) async -> [RealtimeAnswer.Minute]? {
        let minute = floorDiv(now, 60_000)
        let minutes = (0..<Self.realtimeMinutes).map { minute - Int64($0) }
        guard let counts = await askAll(["MGET"] + minutes.map { RedisArgument(CounterKey.pageViews(minute: $0)) })
        else { return nil }
        return zip(minutes, counts).map { RealtimeAnswer.Minute(start: $0 * 60_000, pageViews: $1) }
    }
}

import Core
import Rollup
import Storage

extension Beacon {
    /// A beacon of artist `a` with its own timestamp, received then unless said otherwise.
    static func at(
        _ time: String, received: String? = nil, type: String = "page_view", artist: String? = "a",
        event: String? = nil, visitor: String? = nil, session: String? = nil, message: String? = nil,
        isStamped: Bool = false
    ) -> Beacon {
        let claimed = Instant.parse(time)!
        let receivedAt = received.map { Instant.parse($0)! } ?? claimed
        var beacon = Beacon(
            receivedAt: receivedAt, timestamp: min(claimed, receivedAt), claimed: claimed,
            flags: isStamped ? .stamped : [])
        beacon[.eventType] = type
        beacon[.artistId] = artist
        beacon[.eventId] = event
        beacon[.visitorId] = visitor
        beacon[.sessionId] = session
        beacon[.messageId] = message
        return beacon
    }
}

extension RollupFixture {
    /// Stores each as a batch of its own, numbered from `first`, and folds it before the next.
    func foldOneByOne(_ beacons: [Beacon], from first: Int64 = 1) async throws {
        for (number, beacon) in beacons.enumerated() {
            try await store([beacon], seq: first + Int64(number))
            _ = try await rollup.run()
        }
    }

    /// `bucket pageViews sessions milliseconds`, a line for each row of artist `a`, ascending.
    func lines(_ grain: String = "hourly", artist: String = "a") async throws -> [String] {
        let column = ["hourly": "hour", "daily": "day", "monthly": "month"][grain]!
        return try await pool.withConnection { connection in
            try connection.query(
                """
                SELECT concat_ws(' ',
                    CASE WHEN \(grain) = 'hourly' THEN to_char(\(unescaped: column) AT TIME ZONE 'Asia/Seoul',
                        'YYYY-MM-DD"T"HH24') ELSE left(\(unescaped: column)::text, 10) END,
                    page_views, sessions, session_ms)
                FROM artist_traffic_\(unescaped: grain) WHERE artist_id = \(artist) ORDER BY \(unescaped: column)
                """
            ).map { try $0.get(0) }
        }
    }
}

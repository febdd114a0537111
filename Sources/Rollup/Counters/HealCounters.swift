package import Core
package import Storage

/// Sets the real-time counters in Redis to what the rollups say.
///
/// A counter that Redis lost is missing views, and one that counted repeats has too many. The right value belongs to
/// the position of each node up to which batches are stored, so it is set together with those positions. Batches that
/// were added beyond them meanwhile are added to it: the counter remembers its last ones.
package enum HealCounters {
    package struct Result: Sendable, Equatable {
        package var counters = 0
        /// Went on further than they remember while the value was read: the next round sets them.
        package var skipped = 0
    }

    /// Beacons not folded yet that are counted by decoding them; with more, healing waits for the fold. However many
    /// batches they come in: nodes send several a second each.
    static let maxPendingBeacons = Claim.maxBeacons

    /// A counter's value, the positions it belongs to, and when it expires in seconds since 1970.
    struct Snapshot: Sendable {
        var views: [ExactText: Int64] = [:]
        var expiry: [ExactText: Int64] = [:]
        var positions: [(node: String, seq: Int64)] = []
    }

    /// Takes the value, the expiry, how many batches are remembered, and then nodes and their positions.
    static let script = RedisScript(
        """
        local views = tonumber(ARGV[1])
        local stored, beyond = {}, {}
        for i = 4, #ARGV, 2 do stored[ARGV[i]] = ARGV[i + 1] end
        local positions = redis.call('HGETALL', KEYS[2])
        for i = 1, #positions, 2 do
            if tonumber(positions[i + 1]) > tonumber(stored[positions[i]] or 0) then
                beyond[positions[i]] = positions[i + 1]
            end
        end
        if next(beyond) then
            local recent = redis.call('LRANGE', KEYS[3], 0, -1)
            local reached = {}
            for _, entry in ipairs(recent) do
                local seq, count, node = string.match(entry, '^(%d+) (%d+) (.*)$')
                if beyond[node] then
                    if tonumber(seq) > tonumber(stored[node] or 0) then
                        views = views + tonumber(count)
                    else
                        reached[node] = true
                    end
                end
            end
            for node in pairs(beyond) do
                if #recent >= tonumber(ARGV[3]) and not reached[node] then return 0 end
            end
        end
        redis.call('SET', KEYS[1], string.format('%.0f', views))
        redis.call('DEL', KEYS[2])
        for node, seq in pairs(stored) do redis.call('HSET', KEYS[2], node, seq) end
        for node, seq in pairs(beyond) do redis.call('HSET', KEYS[2], node, seq) end
        for _, key in ipairs(KEYS) do redis.call('EXPIREAT', key, ARGV[2]) end
        return 1
        """)

    /// - Returns: nil where too much is pending.
    package static func run(
        calendar: ReportingCalendar, now: Int64, postgres: PostgresPool, redis: RedisPool
    ) async throws -> Result? {
        try await run(calendar: calendar, now: now, alsoZero: [], postgres: postgres, redis: redis)
    }

    /// - Parameter counters: those that are set also where nothing is left to count.
    static func run(
        calendar: ReportingCalendar, now: Int64, alsoZero counters: Set<ErasureEffect.CounterName>,
        postgres: PostgresPool, redis: RedisPool
    ) async throws -> Result? {
        guard var snapshot = try await snapshot(calendar: calendar, now: now, postgres: postgres) else { return nil }
        for counter in counters {
            let name = ExactText(name(counter.family, counter.entity.string, on: counter.day))
            guard snapshot.views[name] == nil else { continue }
            snapshot.views[name] = 0
            snapshot.expiry[name] = calendar.start(of: counter.day + 1 + CounterKey.daysKept) / 1000
        }
        return try await set(snapshot, redis: redis)
    }

    private static func name(_ family: TrafficFamily, _ entity: String, on day: Day) -> String {
        family == .artist ? CounterKey.artistViews(entity, on: day) : CounterKey.eventViews(entity, on: day)
    }

    /// The first half: what the counters should be; nil where too much is pending.
    static func snapshot(
        calendar: ReportingCalendar, now: Int64, postgres: PostgresPool
    ) async throws -> Snapshot? {
        try await postgres.withConnection { connection in
            try connection.transaction(isolation: .repeatableRead) {
                try Self.snapshot(calendar: calendar, now: now, on: $0)
            }
        }
    }

    /// The second half: sets them, beside what is being added.
    static func set(_ snapshot: Snapshot, redis: RedisPool) async throws -> Result {
        let calls = snapshot.views.sorted { $0.key < $1.key }.map { key, views in
            let name = key.string
            return script.call(
                keys: [
                    .init(name), .init(CounterKey.positions(of: name)), .init(CounterKey.recent(of: name)),
                ],
                arguments: [.init(views), .init(snapshot.expiry[key]!), .init(CounterKey.maxRecent)]
                    + snapshot.positions.flatMap { [RedisArgument($0.node), RedisArgument($0.seq)] })
        }
        guard !calls.isEmpty else { return Result() }
        let replies = try await redis.withConnection { try $0.pipeline(scripts: calls) }
        var result = Result()
        for reply in replies {
            switch reply {
            case .integer(1): result.counters += 1
            case .error(let message): throw RedisError(reply: message)
            default: result.skipped += 1
            }
        }
        return result
    }

    private static func snapshot(
        calendar: ReportingCalendar, now: Int64, on connection: PostgresConnection
    ) throws -> Snapshot? {
        let waiting = try connection.query("SELECT coalesce(sum(beacons), 0)::bigint FROM rollup_pending")[0]
        guard try waiting.get(0, as: Int.self) <= maxPendingBeacons else { return nil }
        let pending = try connection.query("SELECT received_day, node, seq FROM rollup_pending")
            .map { BatchKey(day: try $0.get(0), node: try $0.get(1), seq: try $0.get(2)) }
        var snapshot = Snapshot()
        let today = calendar.day(of: now)
        let oldest = calendar.start(of: today - CounterKey.daysKept)
        var lookup = DayLookup(calendar)
        func add(_ family: TrafficFamily, _ entity: String, _ day: Day, _ views: Int64) {
            guard views != 0 else { return }
            let name = ExactText(name(family, entity, on: day))
            snapshot.views[name, default: 0] += views
            snapshot.expiry[name] = calendar.start(of: day + 1 + CounterKey.daysKept) / 1000
        }
        for family in [TrafficFamily.artist, .event] {
            for row in try connection.query(
                """
                SELECT \(unescaped: family.idColumn), hour, page_views FROM \(unescaped: family.table(.hour))
                WHERE hour >= \(PostgresTimestamp(ms: oldest)) AND page_views > 0
                """)
            {
                add(
                    family, try row.get(0), lookup.day(of: try row.get(1, as: PostgresTimestamp.self).ms),
                    try row.get(2))
            }
        }
        for key in pending {
            let batch: BeaconBatch
            do {
                batch = try RawBatches.load(
                    key, columns: [.timestamp, .eventType, .artistId, .eventId], on: connection)
            } catch is RawBatches.Unreadable {
                // The fold sets it aside: it won't be counted.
                continue
            }
            let pageView = batch[.eventType].code(of: "page_view")
            for row in 0..<batch.count where batch[.eventType].codes[row] == pageView && batch.timestamp[row] >= oldest
            {
                let day = lookup.day(of: batch.timestamp[row])
                if let artist = batch[.artistId][row] { add(.artist, artist, day, 1) }
                if let event = batch[.eventId][row] { add(.event, event, day, 1) }
            }
        }
        snapshot.positions = try connection.query(
            "SELECT node, last_seq FROM spool_positions WHERE updated_at > now() - interval '4 days' ORDER BY node"
        ).map { (try $0.get(0), try $0.get(1)) }
        return snapshot
    }
}

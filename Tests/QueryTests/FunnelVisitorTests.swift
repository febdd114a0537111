import Core
import Ingest
import Platform
import Rollup
import Storage
import TestSupport
import Testing

@testable import Query

/// Funnels by visitor, of what was loaded and folded as it is in production.
@Suite struct FunnelVisitorTests {
    private static let first = Day("2025-12-01")!
    private static let period = Period(startDate: first, endDate: first + 1)

    private func rollup(_ lab: Lab) -> Rollup {
        Rollup(
            postgres: lab.pool, redis: nil, calendar: .seoul, clock: { Lab.now }, metrics: RollupMetrics(Metrics()),
            logger: testLogger)
    }

    private func view(_ time: String, _ visitor: String?, _ type: String = "page_view", event: String? = "e1") -> Beacon
    {
        let instant = Instant.parse(time)!
        var beacon = Beacon(receivedAt: instant, timestamp: instant)
        beacon[.eventType] = type
        beacon[.eventId] = event
        beacon[.visitorId] = visitor
        return beacon
    }

    private func store(_ beacons: [Beacon], seq: Int64, in lab: Lab) async throws {
        var builder = BeaconBatchBuilder()
        for beacon in beacons { builder.append(beacon) }
        let batch = BatchStore.Batch(
            node: "test", firstSeq: seq, lastSeq: seq, receivedAt: beacons[0].receivedAt, encoding: builder.finish())
        try await lab.execute("SELECT ensure_events_partition(\(batch.receivedDay))")
        #expect(try await lab.pool.withConnection { try BatchStore.storeImported(batch, on: $0) })
    }

    private func pay(_ id: String, _ time: String, _ visitor: String?, in lab: Lab) async throws {
        let message = Message(
            id: id, occurredAt: Instant.parse(time)!,
            body: .paymentCompleted(
                PaymentCompleted(
                    paymentId: id, eventId: "e1", artistId: "iu", amount: 1000, currency: "KRW", tickets: 1,
                    visitorId: visitor)))
        _ = try await lab.pool.withConnection { connection in
            try connection.transaction { try MessageEffects.store([message], on: $0) }
        }
    }

    private func funnel(_ lab: Lab, _ period: Period = period) async throws -> FunnelAnswer {
        try await lab.engine.funnel(FunnelQuestion(eventID: "e1", period: period))
    }

    /// Says so whether or not days were derived since: what was folded or paid meanwhile is added as it is read.
    @Test func whatWasNotDerivedYetIsCounted() async throws {
        try await Lab.with { lab in
            try await store([view("2025-12-01T12:00:00+09:00", "a")], seq: 1, in: lab)
            try await pay("p1", "2025-12-01T12:01:00+09:00", "a", in: lab)
            _ = try await rollup(lab).run()
            // As if no runner had derived the day since.
            let before = try await lab.pool.withConnection { connection in
                try connection.query("SELECT viewers, seat_viewers FROM event_funnel_daily").map {
                    (try $0.get(0, as: [UInt8].self), try $0.get(1, as: [UInt8].self))
                }
            }
            try await store(
                [
                    view("2025-12-01T12:02:00+09:00", "b", "seat_view"), view("2025-12-01T12:02:00+09:00", nil),
                    view("2025-12-01T12:02:00+09:00", "nobody", "click"),
                    view("2025-12-01T12:02:00+09:00", "nobody", event: "e2"),
                    view("2025-12-02T00:00:00+09:00", "c"),
                ], seq: 2, in: lab)
            try await pay("p2", "2025-12-01T23:59:59+09:00", "b", in: lab)
            let fold = try await lab.pool.withConnection { connection in
                try connection.query("SELECT max(fold_seq) + 1 FROM rollup_folded")[0].get(0, as: Int64.self)
            }
            _ = try await rollup(lab).run()
            let derived = try await funnel(lab)
            #expect(derived.rows.map(\.visitors?.viewers) == [2, 1])
            #expect(derived.rows.map(\.visitors?.seatViewers) == [1, 0])
            #expect(derived.rows.map(\.visitors?.payers) == [2, 0])
            #expect(derived.totalVisitors?.viewers == 3)

            try await lab.execute("DELETE FROM event_funnel_daily")
            try await lab.execute(
                "INSERT INTO event_funnel_daily VALUES ('e1', '2025-12-01', \(before[0].0), \(before[0].1))")
            try await lab.execute(
                """
                INSERT INTO detail_dirty (day, first_fold)
                SELECT day, \(fold) FROM unnest(\([Self.first, Self.first + 1])) AS k (day)
                """)
            let behind = try await funnel(lab)
            #expect(behind.rows == derived.rows)
            #expect(behind.totalVisitors == derived.totalVisitors)
            #expect(behind.freshness == derived.freshness)
            #expect(behind.explanation.lines.contains { $0.hasPrefix("analytics_events: what was folded since") })

            // A rebuild, and what else may have been wrong, says how far the answer reaches.
            try await lab.execute("UPDATE detail_dirty SET first_fold = NULL WHERE day = \(Self.first + 1)")
            let unknown = try await funnel(lab)
            #expect(unknown.freshness.asOf == ReportingCalendar.seoul.start(of: Self.first + 1))
            #expect(!unknown.complete)
        }
    }

    /// A mark that a fold makes, not one of this test.
    @Test func aFoldSaysWhatDaysAreWithout() async throws {
        try await Lab.with { lab in
            try await store([view("2025-12-01T12:00:00+09:00", "a")], seq: 1, in: lab)
            _ = try await rollup(lab).run()
            try await store([view("2025-12-01T12:01:00+09:00", "b")], seq: 2, in: lab)
            // Folds, and can't derive details.
            try await lab.execute(
                """
                CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$
                """)
            try await lab.execute(
                "CREATE TRIGGER stop BEFORE INSERT ON event_funnel_daily FOR EACH ROW EXECUTE FUNCTION stop()")
            _ = try await rollup(lab).run()
            #expect(
                try await lab.pool.withConnection { connection in
                    try connection.query(
                        "SELECT first_fold = (SELECT max(fold_seq) FROM rollup_folded) FROM detail_dirty"
                    ).map { try $0.get(0, as: Bool.self) }
                } == [true])
            #expect(try await funnel(lab).totalVisitors?.viewers == 2)

            // Where that is too much, the answer reaches as far as the first of it was received.
            let plan = try PeriodPlan(Self.period, lab.engine.context)
            let received = Instant.parse("2025-12-01T12:01:00+09:00")!
            for (maxBeacons, viewers, asOf) in [(1, 2, nil), (0, 1, received)] as [(Int, UInt64, Int64?)] {
                let reader = try await lab.pool.withConnection {
                    try FunnelReader(plan, eventID: "e1", maxBeacons: maxBeacons, on: $0)
                }
                #expect(UInt64(reader.buckets[0].viewers.value) == viewers)
                #expect(reader.asOf == asOf)
            }
        }
    }

    @Test func hoursAndOtherZonesHaveNoVisitors() async throws {
        try await Lab.with { lab in
            try await store([view("2025-12-01T12:00:00+09:00", "a")], seq: 1, in: lab)
            try await pay("p1", "2025-12-01T12:01:00+09:00", "a", in: lab)
            _ = try await rollup(lab).run()
            var hourly = Self.period
            hourly.granularity = .hourly
            var elsewhere = Self.period
            elsewhere.timeZone = "Europe/Berlin"
            for period in [hourly, elsewhere] {
                let answer = try await funnel(lab, period)
                #expect(answer.totalVisitors == nil && answer.rows.allSatisfy { $0.visitors == nil })
                #expect(answer.total.payments == 1)
                #expect(answer.json.contains(#""viewers":null,"seatViewers":null,"reservers":null,"payers":null"#))
                #expect(
                    AnswerFormat.table.render(answer).contains(
                        "visitors are known by the day, the week or the month in Asia/Seoul"))
            }
        }
    }

    /// Many come on several days: days, weeks and months merge them, and sums agree at every granularity.
    @Test func visitorsOfDaysAreMerged() async throws {
        var random = SeededGenerator()
        print("\(random)")
        var viewers: Set<String> = []
        var payers: Set<String> = []
        var beacons: [Beacon] = []
        var payments: [(String, String)] = []
        for number in 0..<300 {
            let day = 1 + number % 5
            let visitor = "v\(Int.random(in: 0..<60, using: &random))"
            viewers.insert(visitor)
            beacons.append(view("2025-12-0\(day)T10:00:00+09:00", visitor))
            if number % 4 == 0 {
                payers.insert(visitor)
                payments.append(("2025-12-0\(day)T11:00:00+09:00", visitor))
            }
        }
        let (all, paid, wanted) = (beacons, payments, (Int64(viewers.count), Int64(payers.count)))
        try await Lab.with { lab in
            try await store(all, seq: 1, in: lab)
            for (number, payment) in paid.enumerated() { try await pay("p\(number)", payment.0, payment.1, in: lab) }
            _ = try await rollup(lab).run()
            for granularity in [Granularity.daily, .weekly, .monthly] {
                let answer = try await funnel(
                    lab, Period(startDate: Day("2025-11-28")!, endDate: Day("2025-12-05")!, granularity: granularity))
                #expect(answer.totalVisitors?.viewers == wanted.0)
                #expect(answer.totalVisitors?.payers == wanted.1)
                #expect(answer.totalVisitors?.conversion == Rounded.quotient(wanted.1 * 1000, wanted.0))
                #expect(answer.rows.compactMap { $0.visitors?.viewers }.max()! <= wanted.0)
            }
        }
    }
}

import Core
import Storage

/// What the rollups lose with a visitor's rows of one batch.
struct ErasureEffect {
    /// A counter in Redis that has counted one of them.
    struct CounterName: Hashable {
        var family: TrafficFamily
        var entity: ExactText
        var day: Day
    }

    /// Reporting days that have to be counted again: those of the rows, and those of the sessions they are part of.
    private(set) var days: Set<Day> = []
    private(set) var counters: Set<CounterName> = []

    /// - Parameters:
    ///   - rows: of the batch, to be removed.
    ///   - counted: those of them that rollups hold.
    ///   - oldest: the first day of which Redis has counters.
    init(
        _ rows: [Int], of batch: BeaconBatch, counted: [Int], oldest: Day, calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws {
        var lookup = DayLookup(calendar)
        let pageView = batch[.eventType].code(of: "page_view")
        for row in rows where batch[.eventType].codes[row] == pageView {
            let day = lookup.day(of: batch.timestamp[row])
            guard day >= oldest else { continue }
            for (family, column) in [(TrafficFamily.artist, batch[.artistId]), (.event, batch[.eventId])] {
                guard let entity = column[row] else { continue }
                counters.insert(CounterName(family: family, entity: ExactText(entity), day: day))
            }
        }
        guard !counted.isEmpty else { return }
        for row in counted { days.insert(lookup.day(of: batch.timestamp[row])) }
        var fold = Fold()
        let isCounted = RowSet(counted.map { Int32($0) }, of: batch.count)
        fold.add(batch) { isCounted.contains($0) }
        let fragments = fold.takeSessions()
        for row in try connection.query(
            """
            SELECT DISTINCT s.started_ms, s.ended_ms
            FROM unnest(\(fragments.map { Int64(bitPattern: $0.session) }), \(fragments.map(\.started)),
                \(fragments.map(\.ended))) AS k (session, started, ended)
            JOIN session_intervals s ON s.session = k.session AND s.started_ms <= k.ended AND s.ended_ms >= k.started
            """)
        {
            var day = lookup.day(of: try row.get(0))
            let last = lookup.day(of: try row.get(1))
            while day <= last {
                days.insert(day)
                day = day + 1
            }
        }
    }
}

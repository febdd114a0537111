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
        let isCounted = RowSet(counted.map { Int32($0) }, of: batch.count)
        var fold = Fold()
        let isOther = RowSet((0..<Int32(batch.count)).filter { !isCounted.contains(Int($0)) }, of: batch.count)
        fold.add(batch, except: isOther)
        for instants in try Self.sessions(of: fold.takeSessions(), calendar, on: connection) {
            var day = lookup.day(of: instants.lowerBound)
            let last = lookup.day(of: instants.upperBound)
            while day <= last {
                days.insert(day)
                day = day + 1
            }
        }
    }

    /// From when to when the sessions that the fragments are part of last.
    private static func sessions(
        of fragments: [SessionFragment], _ calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> [ClosedRange<Int64>] {
        var lasting: [ClosedRange<Int64>] = []
        // By slot the sessions to look for there, each with its last beacon in the slot before; nil for a fragment's own.
        var wanted: [Int32: [UInt64: Int64?]] = [:]
        for fragment in fragments { wanted[fragment.slot, default: [:]].updateValue(nil, forKey: fragment.session) }
        while let slot = wanted.keys.min() {
            let sessions = wanted.removeValue(forKey: slot)!
            var pieces: [UInt64: SessionPiece] = [:]
            try SessionLedger.read([slot], calendar, on: connection) { _, _, _, run in
                for piece in run where sessions[piece.session] != nil {
                    pieces[piece.session, default: piece].merge(piece)
                }
            }
            for (session, piece) in pieces {
                if let before = sessions[session]!, piece.first - before >= SessionPiece.gapMs { continue }
                lasting.append(min(piece.origin, piece.first)...piece.last)
                // A fragment's own is looked for anyway.
                if wanted[slot + 1]?.index(forKey: session) == nil {
                    wanted[slot + 1, default: [:]].updateValue(piece.last, forKey: session)
                }
            }
        }
        return lasting
    }
}

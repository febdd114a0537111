import Core
import Storage

/// What is stored of the day.
extension RowProof {
    mutating func readStored(on connection: PostgresConnection) throws {
        // Two rows of one hash that add up to what is right are not it.
        var known = DistinctHashes()
        // Page by page: by an index alone each row's page would be looked for anew.
        try connection.execute("SET LOCAL enable_indexscan = off")
        if tables.traffic {
            for family in TrafficFamily.allCases {
                try readHours(family, &known, on: connection)
                try readDay(family, &known, on: connection)
            }
        }
        if tables.details {
            try readBreakdowns(&known, on: connection)
            try readFunnels(&known, on: connection)
        }
        try connection.execute("SET LOCAL enable_indexscan = on")
        hasEqualHashes = !known.areDistinct()
        holds = holds && !hasEqualHashes
    }

    /// Hours read at once: a few times as many rows as there are entities.
    private static let hoursAtOnce: Int64 = 4

    private mutating func readHours(
        _ family: TrafficFamily, _ known: inout DistinctHashes, on connection: PostgresConnection
    ) throws {
        let length = Self.hoursAtOnce * ReportingCalendar.hourMs
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(length)) where holds {
            let rows = try connection.query(
                """
                SELECT \(unescaped: family.idColumn), \(unescaped: TrafficTable.columns), hour
                FROM \(unescaped: family.table(.hour))
                WHERE hour >= \(PostgresTimestamp(ms: start))
                    AND hour < \(PostgresTimestamp(ms: min(start + length, range.upperBound)))
                """)
            for row in 0..<rows.count {
                let entity = entities.number(of: rows.bytes(row: row, column: 0), family: family)
                // A row of an instant within an hour is none of it.
                let (hour, within) = (try rows.microseconds(row: row, column: 7) - range.lowerBound * 1000)
                    .quotientAndRemainder(dividingBy: ReportingCalendar.hourMs * 1000)
                guard within == 0 else { return holds = false }
                try add(rows, row, RowHash.hour(entities.hashes[Int(entity)], Int(hour)), &known)
            }
        }
    }

    private mutating func readDay(
        _ family: TrafficFamily, _ known: inout DistinctHashes, on connection: PostgresConnection
    ) throws {
        let rows = try connection.query(
            """
            SELECT \(unescaped: family.idColumn), \(unescaped: TrafficTable.columns)
            FROM \(unescaped: family.table(.day)) WHERE day = \(day)
            """)
        for row in 0..<rows.count {
            let entity = entities.number(of: rows.bytes(row: row, column: 0), family: family)
            if isDirtyDay(entity) { continue }
            try add(rows, row, RowHash.day(entities.hashes[Int(entity)]), &known)
        }
    }

    /// - Parameter rows: each an id, then the columns of a traffic table.
    private mutating func add(
        _ rows: PostgresRows, _ row: Int, _ hash: UInt64, _ known: inout DistinctHashes
    ) throws {
        let beacons = try rows.bigint(row: row, column: 3)
        let counts = RowHash.counts(
            pageViews: try rows.bigint(row: row, column: 1), seatViews: try rows.bigint(row: row, column: 2),
            beacons: beacons)
        let sessions = RowHash.sessions(
            try rows.bigint(row: row, column: 4), milliseconds: try rows.bigint(row: row, column: 5))
        storedCounts &+= hash &* (counts &+ sessions)
        known.add(hash)
        // What has nothing has no row.
        guard beacons > 0, sketches.add(rows.bytes(row: row, column: 6), of: hash) else {
            return holds = false
        }
    }

    /// Breakdowns of a day that has at most so many rows of them are read at once, which takes less than one by one.
    private static let maxRowsAtOnce = 500_000

    private mutating func readBreakdowns(
        _ known: inout DistinctHashes, on connection: PostgresConnection
    ) throws {
        let day = day
        let statement: SQL = """
            SELECT artist_id, dimension, kind, value, page_views, beacons, visitors FROM traffic_breakdown_daily
            WHERE day = \(day)
            """
        var reading = BreakdownReading()
        // As many as the artists of the day may have, and the site; where hours are not read they are not known.
        let artists = entities.entities.count { $0.family == .artist }
        let most = (artists * (Breakdown.maxValues + 2) + Breakdown.maxSiteValues + 2) * Dimension.allCases.count
        if tables.traffic, most <= Self.maxRowsAtOnce {
            let rows = try connection.query(statement)
            for row in 0..<rows.count where holds { try add(rows, row, &reading, &known) }
        } else {
            try connection.stream(statement) { row in try add(row.rows, row.index, &reading, &known) }
        }
        holds = holds && lists.finishStored()
    }

    private struct BreakdownReading {
        let dimensions = Dimension.allCases.map { (name: Array($0.name.utf8), dimension: $0) }
        let kinds = [BreakdownRows.Kind.value, .missing, .remainder].map { (name: Array($0.rawValue.utf8), kind: $0) }
        /// That of the last row.
        var artist: (id: [UInt8], number: Int32)?
    }

    private mutating func add(
        _ rows: PostgresRows, _ row: Int, _ reading: inout BreakdownReading, _ known: inout DistinctHashes
    ) throws {
        let id = rows.bytes(row: row, column: 0)
        if !(reading.artist.map { id.elementsEqual($0.id) } ?? false) {
            reading.artist = (Array(id), id.isEmpty ? site : entities.number(of: id, family: .artist))
        }
        let number = reading.artist!.number
        let name = rows.bytes(row: row, column: 1)
        let dimension = reading.dimensions.first { name.elementsEqual($0.name) }?.dimension
        let kindName = rows.bytes(row: row, column: 2)
        let kind = reading.kinds.first { kindName.elementsEqual($0.name) }?.kind
        let (pageViews, beacons) = (try rows.bigint(row: row, column: 4), try rows.bigint(row: row, column: 5))
        let text = rows.bytes(row: row, column: 3)
        guard let dimension, let kind, kind == .value || text.isEmpty, beacons > 0 else { return holds = false }
        let value =
            switch kind {
            case .value: Murmur3.hash64(text)
            case .missing: RowHash.missing
            case .remainder: RowHash.remainder
            }
        let hash = RowHash.value(entities.hashes[Int(number)], Int(dimension.rawValue), value)
        storedCounts &+= hash &* RowHash.counts(pageViews: pageViews, seatViews: 0, beacons: beacons)
        known.add(hash)
        guard sketches.add(rows.bytes(row: row, column: 6), of: hash) else { return holds = false }
        lists.add(
            number, dimension, kind, .init(value: value, pageViews: pageViews, beacons: beacons), row: hash,
            maxChosen: number == site ? Breakdown.maxSiteValues : Breakdown.maxValues)
    }

    private mutating func readFunnels(_ known: inout DistinctHashes, on connection: PostgresConnection) throws {
        let empty = VisitorSketch().bytes
        let rows = try connection.query(
            "SELECT event_id, viewers, seat_viewers FROM event_funnel_daily WHERE day = \(day)")
        for row in 0..<rows.count {
            let number = entities.number(of: rows.bytes(row: row, column: 0), family: .event)
            let event = entities.hashes[Int(number)]
            let viewers = RowHash.viewers(event)
            known.add(viewers)
            let ofViewers = rows.bytes(row: row, column: 1)
            // An event that nobody looked at has no row.
            guard !ofViewers.elementsEqual(empty), sketches.add(ofViewers, of: viewers),
                sketches.add(rows.bytes(row: row, column: 2), of: RowHash.seatViewers(event))
            else { return holds = false }
        }
    }
}

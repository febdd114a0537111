import Core
import Storage

/// What is stored of the day.
extension RowProof {
    mutating func readStored(on connection: PostgresConnection) throws {
        // A row is there once: two that add up to it are not it.
        var known = HashIndex()
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
    }

    /// Hour by hour: as many rows at a time as there are entities.
    private mutating func readHours(
        _ family: TrafficFamily, _ known: inout HashIndex, on connection: PostgresConnection
    ) throws {
        let starts = stride(from: range.lowerBound, to: range.upperBound, by: Int(ReportingCalendar.hourMs))
        for (hour, start) in starts.enumerated() where holds {
            let rows = try connection.query(
                """
                SELECT \(unescaped: family.idColumn), \(unescaped: TrafficTable.columns)
                FROM \(unescaped: family.table(.hour))
                WHERE hour >= \(PostgresTimestamp(ms: start))
                    AND hour < \(PostgresTimestamp(ms: start + ReportingCalendar.hourMs))
                """)
            for row in rows {
                let entity = row.withBytes(0) { entities.number(of: $0, family: family) }
                try add(row, RowHash.hour(entities.hashes[Int(entity)], hour), &known)
            }
        }
        holds = try holds && areWhole(family, on: connection)
    }

    /// Whether no row is of an instant within an hour.
    private func areWhole(_ family: TrafficFamily, on connection: PostgresConnection) throws -> Bool {
        try !connection.query(
            """
            SELECT EXISTS (
                SELECT FROM generate_series(
                    \(PostgresTimestamp(ms: range.lowerBound)),
                    \(PostgresTimestamp(ms: range.upperBound - ReportingCalendar.hourMs)), interval '1 hour') start
                CROSS JOIN LATERAL (
                    SELECT FROM \(unescaped: family.table(.hour))
                    WHERE hour > start AND hour < start + interval '1 hour' LIMIT 1) within)
            """)[0].get(0, as: Bool.self)
    }

    private mutating func readDay(
        _ family: TrafficFamily, _ known: inout HashIndex, on connection: PostgresConnection
    ) throws {
        let rows = try connection.query(
            """
            SELECT \(unescaped: family.idColumn), \(unescaped: TrafficTable.columns)
            FROM \(unescaped: family.table(.day)) WHERE day = \(day)
            """)
        for row in rows {
            let entity = row.withBytes(0) { entities.number(of: $0, family: family) }
            if isDirtyDay(entity) { continue }
            try add(row, RowHash.day(entities.hashes[Int(entity)]), &known)
        }
    }

    /// - Parameter row: an id, then the columns of a traffic table.
    private mutating func add(_ row: PostgresRow, _ hash: UInt64, _ known: inout HashIndex) throws {
        let beacons = try row.get(3, as: Int64.self)
        storedCounts &+=
            hash
            &* (RowHash.counts(pageViews: try row.get(1), seatViews: try row.get(2), beacons: beacons)
                &+ RowHash.sessions(try row.get(4), milliseconds: try row.get(5)))
        // What has nothing has no row.
        guard beacons > 0, known.insert(hash, 0), row.withBytes(6, { sketches.add($0, of: hash) }) else {
            return holds = false
        }
    }

    private mutating func readBreakdowns(_ known: inout HashIndex, on connection: PostgresConnection) throws {
        let dimensions = Dimension.allCases.map { (name: Array($0.name.utf8), dimension: $0) }
        let kinds = [BreakdownRows.Kind.value, .missing, .remainder].map { (name: Array($0.rawValue.utf8), kind: $0) }
        var artist: (id: [UInt8], number: Int32)?
        try connection.stream(
            """
            SELECT artist_id, dimension, kind, value, page_views, beacons, visitors FROM traffic_breakdown_daily
            WHERE day = \(day)
            """
        ) { row in
            let number = row.withBytes(0) { id in
                if let artist, id.elementsEqual(artist.id) { return artist.number }
                let number = id.isEmpty ? site : entities.number(of: id, family: .artist)
                artist = (Array(id), number)
                return number
            }
            let dimension = row.withBytes(1) { name in dimensions.first { name.elementsEqual($0.name) }?.dimension }
            let kind = row.withBytes(2) { name in kinds.first { name.elementsEqual($0.name) }?.kind }
            let (pageViews, beacons) = (try row.get(4, as: Int64.self), try row.get(5, as: Int64.self))
            guard let dimension, let kind,
                kind == .value || row.withBytes(3, { $0.isEmpty }), beacons > 0
            else { return holds = false }
            let value =
                switch kind {
                case .value: row.withBytes(3) { Murmur3.hash64($0) }
                case .missing: RowHash.missing
                case .remainder: RowHash.remainder
                }
            let hash = RowHash.value(entities.hashes[Int(number)], Int(dimension.rawValue), value)
            storedCounts &+= hash &* RowHash.counts(pageViews: pageViews, seatViews: 0, beacons: beacons)
            guard known.insert(hash, 0), row.withBytes(6, { sketches.add($0, of: hash) }) else { return holds = false }
            lists.add(
                number, dimension, kind, .init(value: value, pageViews: pageViews, beacons: beacons), row: hash,
                maxChosen: number == site ? Breakdown.maxSiteValues : Breakdown.maxValues)
        }
        holds = holds && lists.finishStored()
    }

    private mutating func readFunnels(_ known: inout HashIndex, on connection: PostgresConnection) throws {
        let empty = VisitorSketch().bytes
        try connection.stream("SELECT event_id, viewers, seat_viewers FROM event_funnel_daily WHERE day = \(day)") {
            row in
            let number = row.withBytes(0) { entities.number(of: $0, family: .event) }
            let event = entities.hashes[Int(number)]
            // An event that nobody looked at has no row.
            let isSeen = row.withBytes(1) { !$0.elementsEqual(empty) }
            let viewers = RowHash.viewers(event)
            guard isSeen, known.insert(viewers, 0), row.withBytes(1, { sketches.add($0, of: viewers) }),
                row.withBytes(2, { sketches.add($0, of: RowHash.seatViewers(event)) })
            else { return holds = false }
        }
    }
}

import Core
import Storage

/// Raw batches as the rollups count them: folded ones only, without repeated messages.
struct FoldedBatches: Sendable {
    let instants: Range<Int64>
    var artistID: String?
    var eventID: String?
    let columns: ColumnSet

    init(_ instants: Range<Int64>, artistID: String? = nil, eventID: String? = nil, columns: ColumnSet) {
        self.instants = instants
        self.artistID = artistID
        self.eventID = eventID
        var columns = columns.union(.timestamp)
        if artistID != nil { columns.formUnion(.artistId) }
        if eventID != nil { columns.formUnion(.eventId) }
        self.columns = columns
    }

    /// Hands over batch by batch those rows that count, as a batch of their own; in constant memory.
    func each(on connection: PostgresConnection, _ body: (BeaconBatch) throws -> Void) throws {
        try each(BatchQueries.folded(instants), on: connection, body)
    }

    /// - Parameter sql: columns payload and repeats.
    func each(_ sql: SQL, on connection: PostgresConnection, _ body: (BeaconBatch) throws -> Void) throws {
        try connection.stream(sql) { row in
            if let batch = try batch(row) { try body(batch) }
        }
    }

    /// Those rows of one batch that count; nil where there are none.
    ///
    /// - Parameters:
    ///   - row: begins with the columns payload and repeats.
    ///   - first: those before it are passed over.
    func batch(_ row: PostgresRow, from first: Int = 0) throws -> BeaconBatch? {
        let repeats = try row.get(1, as: [Int32].self)
        return try row.withBytes(0) {
            try BatchBlock.decode($0, columns: columns, filter: filter) { batch in
                counted(batch, repeats: repeats).filter { $0 >= first }
            }
        }
    }

    /// The columns that tell whether a row counts: all others are read of those that do.
    private var filter: ColumnSet {
        var filter = ColumnSet.timestamp
        if artistID != nil { filter.formUnion(.artistId) }
        if eventID != nil { filter.formUnion(.eventId) }
        return filter
    }

    /// - Parameter repeats: ascending positions.
    func counted(_ batch: BeaconBatch, repeats: [Int32]) -> [Int] {
        let artist = artistID.map { batch[.artistId].code(of: $0) }
        let event = eventID.map { batch[.eventId].code(of: $0) }
        // The id is in no row of this batch.
        if artist == .some(nil) || event == .some(nil) { return [] }
        let timestamps = batch.timestamp.span
        let column = batch[artist != nil ? .artistId : .eventId]
        let codes = column.codes.span
        var rows: [Int] = []
        var repeats = repeats[...]
        func take(_ row: Int) {
            while let next = repeats.first, Int(next) < row { repeats.removeFirst() }
            if let next = repeats.first, Int(next) == row { return }
            if instants.contains(timestamps[row]) { rows.append(row) }
        }
        switch (artist ?? nil, event ?? nil) {
        case (nil, nil):
            for row in 0..<batch.count { take(row) }
        case (let code?, nil), (nil, let code?):
            for row in 0..<batch.count where codes[row] == code { take(row) }
        case (let artist?, let event?):
            let events = batch[.eventId].codes.span
            for row in 0..<batch.count where codes[row] == artist && events[row] == event { take(row) }
        }
        return rows
    }
}

extension TextColumn {
    /// Nil where the column does not hold the text.
    func code(of text: String) -> UInt32? {
        let wanted = text.utf8
        return (0..<valueCount).first { value($0).elementsEqual(wanted) }.map { UInt32($0 + 1) }
    }
}

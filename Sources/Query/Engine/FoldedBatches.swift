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

    /// Hands over batch by batch, with the rows of it that count, ascending; in constant memory.
    func each(on connection: PostgresConnection, _ body: (BeaconBatch, [Int]) throws -> Void) throws {
        try each(BatchQueries.folded(instants), on: connection, body)
    }

    /// - Parameter sql: columns payload and repeats.
    func each(
        _ sql: SQL, on connection: PostgresConnection, _ body: (BeaconBatch, [Int]) throws -> Void
    ) throws {
        try connection.stream(sql) { row in
            let batch = try row.withBytes(0) { try BatchBlock.decode($0, columns: columns) }
            let rows = counted(batch, repeats: try row.get(1))
            if !rows.isEmpty { try body(batch, rows) }
        }
    }

    /// - Parameter repeats: ascending positions.
    func counted(_ batch: BeaconBatch, repeats: [Int32]) -> [Int] {
        let artist = artistID.map { batch[.artistId].code(of: $0) }
        let event = eventID.map { batch[.eventId].code(of: $0) }
        // The id is in no row of this batch.
        if artist == .some(nil) || event == .some(nil) { return [] }
        var repeats = repeats[...]
        var rows: [Int] = []
        for row in 0..<batch.count {
            if let next = repeats.first, Int(next) == row {
                repeats.removeFirst()
                continue
            }
            guard instants.contains(batch.timestamp[row]) else { continue }
            if let artist, batch[.artistId].codes[row] != artist { continue }
            if let event, batch[.eventId].codes[row] != event { continue }
            rows.append(row)
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

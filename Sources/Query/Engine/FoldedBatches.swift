import Core
import Platform
import Storage

/// Raw batches as the rollups count them: folded ones only, without repeated messages.
struct FoldedBatches: Sendable {
    /// Batches looked at by one statement, with those that can't hold what is looked for.
    static let maxBatches = 256

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

    /// What a batch's filter is asked.
    var probes: [EntityFilter.Probe] {
        [artistID.map { .init(.artistId, $0) }, eventID.map { .init(.eventId, $0) }].compactMap { $0 }
    }

    /// Hands over batch by batch those rows that count, as a batch of their own; in constant memory.
    func each(on connection: PostgresConnection, _ body: (BeaconBatch) throws -> Void) throws {
        func take(_ row: PostgresRow) throws {
            if let batch = try batch(StoredBatch(row: row)) { try body(batch) }
        }
        if probes.isEmpty { return try connection.stream(BatchQueries.folded(instants), each: take) }
        var position = beginning
        while true {
            let (wanted, last) = try wanted(after: position, through: .max, maxBytes: .max, on: connection)
            guard let last else { return }
            if !wanted.isEmpty { try connection.stream(BatchQueries.payloads(wanted), each: take) }
            position = last
        }
    }

    /// Before all batches.
    var beginning: BatchQueries.Position {
        .init(day: Day(midnightUTC: instants.lowerBound) - 1, node: "", seq: -1, lastSeq: -1)
    }

    /// Of the batches that come next, `maxBatches` at most, those that may hold what is looked for.
    ///
    /// - Parameters:
    ///   - through: the last fold that is looked at.
    ///   - maxBytes: what their blocks may come to, but for one.
    /// - Returns: also the last batch that was looked at; nil where there is none.
    func wanted(
        after: BatchQueries.Position, through: Int64, maxBytes: Int, on connection: PostgresConnection
    ) throws -> (wanted: [BatchQueries.Position], last: BatchQueries.Position?) {
        let probes = probes
        var bytes = 0
        var last: BatchQueries.Position?
        var wanted: [BatchQueries.Position] = []
        let page = BatchQueries.page(
            instants, after: after, through: through, limit: Self.maxBatches, withFilters: !probes.isEmpty)
        for row in try connection.query(page) {
            let position = BatchQueries.Position(
                day: try row.get(0), node: try row.get(1), seq: try row.get(2), lastSeq: try row.get(3))
            let crc = UInt32(truncatingIfNeeded: try row.get(5, as: Int64.self))
            if row.withBytes(6, { EntityFilter.mayHold(probes, $0, ofBlock: crc) }) {
                bytes += Int(try row.get(4, as: Int32.self))
                if !wanted.isEmpty && bytes > maxBytes { break }
                wanted.append(position)
            }
            last = position
        }
        return (wanted, last)
    }

    /// Those rows of one batch that count; nil where there are none.
    func batch(_ stored: StoredBatch) throws -> BeaconBatch? {
        let repeats = try stored.row.get(1, as: [Int32].self)
        return try stored.row.withBytes(0) {
            try BatchBlock.decode($0, columns: columns, filter: filter) { batch in
                counted(batch, repeats: repeats).filter { $0 >= stored.first }
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
        let wanted = Array(text.utf8)
        let (wantedBytes, bytes, ends) = (wanted.span, bytes.span, ends.span)
        var start = 0
        for index in ends.indices {
            let end = Int(ends[index])
            if end - start == wantedBytes.count {
                // Ids differ at their ends.
                var left = wantedBytes.count
                while left > 0, bytes[start + left - 1] == wantedBytes[left - 1] { left -= 1 }
                if left == 0 { return UInt32(index + 1) }
            }
            start = end
        }
        return nil
    }
}

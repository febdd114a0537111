import Core
import Storage

/// Raw batches in order of receipt, some at a time, each in a short transaction of its own.
///
/// They are those that were folded when the first page was asked for. What is folded, or received, meanwhile is left out;
/// a rebuild that finds other repeats meanwhile shows in the pages that come after it. Where the batches that come next
/// were merged with those already read, the rest of the merged one is next.
struct BatchPages: Sendable {
    /// A page has one batch, or more as long as they are this many beacons together.
    static let maxBeacons = 32_768
    /// Where only some of the beacons are wanted.
    static let maxSearchedBeacons = 262_144
    static let maxBatches = 256

    private let batches: FoldedBatches
    private let pool: PostgresPool
    private var position: BatchQueries.Position
    /// The last batch that had been folded at the beginning; nil before it is known.
    private var through: Int64?
    private var isOver = false

    init(_ batches: FoldedBatches, from pool: PostgresPool) {
        self.batches = batches
        self.pool = pool
        position = .init(day: Day(midnightUTC: batches.instants.lowerBound) - 1, node: "", seq: -1, lastSeq: -1)
    }

    /// The rows that count, by batch. Nil after the last.
    mutating func next() async throws -> [BeaconBatch]? {
        while !isOver {
            let (batches, position, known) = (batches, position, through)
            let page = try await pool.withConnection { connection in
                try connection.transaction(isolation: .repeatableRead) { connection in
                    try Self.read(batches, after: position, through: known, on: connection)
                }
            }
            guard let page else {
                isOver = true
                return nil
            }
            self.position = page.position
            through = page.through
            // None of its rows may be of the artist in question.
            if !page.batches.isEmpty { return page.batches }
        }
        return nil
    }

    private struct Page: Sendable {
        var batches: [BeaconBatch] = []
        let position: BatchQueries.Position
        let through: Int64
    }

    private static func read(
        _ batches: FoldedBatches, after: BatchQueries.Position, through: Int64?, on connection: PostgresConnection
    ) throws -> Page? {
        try connection.execute(.planForValues)
        var through = through
        if through == nil {
            through = try connection.query(BatchQueries.lastFold(batches.instants))[0].get(0, as: Int64?.self)
        }
        guard let through else { return nil }
        let isSearch = batches.artistID != nil || batches.eventID != nil
        let max = isSearch ? maxSearchedBeacons : maxBeacons
        var beacons = 0
        var last: BatchQueries.Position?
        for row in try connection.query(
            BatchQueries.page(batches.instants, after: after, through: through, limit: maxBatches))
        {
            beacons += Int(try row.get(4, as: Int32.self))
            if last != nil && beacons > max { break }
            last = .init(day: try row.get(0), node: try row.get(1), seq: try row.get(2), lastSeq: try row.get(3))
        }
        let rest = try connection.query(BatchQueries.rest(batches.instants, after: after, through: through)).first
        let position: BatchQueries.Position
        if let last {
            position = last
        } else if let rest {
            position = .init(day: after.day, node: after.node, seq: after.seq, lastSeq: try rest.get(3))
        } else {
            return nil
        }
        var page = Page(position: position, through: through)
        if let rest {
            let read = Int(try rest.get(2, as: Int32?.self) ?? 0)
            if let batch = try batches.batch(rest, from: read) { page.batches.append(batch) }
        }
        guard let last else { return page }
        try batches.each(
            BatchQueries.payloads(batches.instants, after: after, upTo: last, through: through), on: connection
        ) { page.batches.append($0) }
        return page
    }
}

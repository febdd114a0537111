import Core
import Storage

/// Raw batches in order of receipt, some at a time, each page in a short transaction of its own.
///
/// They are those that were folded when the first page was asked for. What is folded, or received, meanwhile is left out;
/// a rebuild that finds other repeats meanwhile shows in the pages that come after it. Where the batches that come next
/// were merged with those already read, the rest of the merged one is next.
///
/// A page holds blocks as they are stored, and only one of them is decoded at a time. The next page is read meanwhile.
struct BatchPages: Sendable {
    /// The place between two batches that were merged since is forgotten: what comes next can't be told from what was read.
    struct Lost: Error, CustomStringConvertible {
        var description: String { "batches that were read were merged too long ago to go on after them" }
    }

    /// A page has one batch, or more as long as their blocks are this long together.
    static let maxBytes = 8 * 1024 * 1024
    private let batches: FoldedBatches
    private let pool: PostgresPool
    private let readsAhead: Bool
    private var position: BatchQueries.Position
    /// The last batch that had been folded at the beginning; nil before it is known.
    private var through: Int64?
    private var page: [StoredBatch] = []
    /// The next batch of the page.
    private var next = 0
    private var ahead: ReadAhead?
    private var isOver = false

    /// - Parameter readsAhead: whether a page is read before it is asked for.
    init(_ batches: FoldedBatches, from pool: PostgresPool, readsAhead: Bool = true) {
        self.batches = batches
        self.pool = pool
        self.readsAhead = readsAhead
        position = batches.beginning
    }

    /// The rows of the next batch that count, if there are any. Nil after the last.
    mutating func next() async throws -> BeaconBatch? {
        while true {
            while next < page.count {
                next += 1
                // None of its rows may be of the artist in question.
                if let batch = try batches.batch(page[next - 1]) { return batch }
            }
            guard try await turn() else { return nil }
        }
    }

    /// Goes to the next page; false where there is none.
    private mutating func turn() async throws -> Bool {
        (page, next) = ([], 0)
        if isOver { return false }
        let reading = ahead ?? read()
        ahead = nil
        guard let page = try await reading.page() else {
            isOver = true
            return false
        }
        (self.page, position, through) = (page.batches, page.position, page.through)
        if readsAhead { ahead = read() }
        return true
    }

    private func read() -> ReadAhead {
        let (batches, position, through) = (batches, position, through)
        return ReadAhead(from: pool) { connection in
            try Self.read(batches, after: position, through: through, on: connection)
        }
    }

    fileprivate struct Page: Sendable {
        var batches: [StoredBatch] = []
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
        let (wanted, last) = try batches.wanted(after: after, through: through, maxBytes: maxBytes, on: connection)
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
            guard let first = try rest.get(2, as: Int32?.self) else { throw Lost() }
            page.batches.append(StoredBatch(row: rest, first: Int(first)))
        }
        if !wanted.isEmpty {
            try connection.stream(BatchQueries.payloads(wanted)) { page.batches.append(StoredBatch(row: $0)) }
        }
        return page
    }
}

/// A page that is being read; given up where nobody wants it any more.
private final class ReadAhead: Sendable {
    private let task: Task<BatchPages.Page?, any Error>

    init(
        from pool: PostgresPool, _ read: @escaping @Sendable (PostgresConnection) throws -> BatchPages.Page?
    ) {
        task = Task {
            try await pool.withConnection { connection in
                try connection.transaction(isolation: .repeatableRead) { try read($0) }
            }
        }
    }

    deinit { task.cancel() }

    func page() async throws -> BatchPages.Page? {
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

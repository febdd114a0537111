import Core

/// Raw beacons as text.
struct EventPieces: Pieces {
    private var pages: BatchPages
    private var batch = BeaconBatch()
    /// The next row of the batch.
    private var row = 0
    private var lines: EventLines
    private let limit: Int
    private let isTable: Bool
    private var isOver = false

    init(_ pages: BatchPages, format: AnswerFormat, limit: Int?, isStyled: Bool = false) {
        self.pages = pages
        lines = EventLines(format, isStyled: isStyled)
        isTable = format == .table
        self.limit = min(limit ?? .max, isTable ? EventLines.maxTableRows : .max)
    }

    mutating func next() async throws -> [UInt8]? {
        if isOver { return nil }
        while lines.pending < EventLines.maxPendingBytes {
            guard try await prepareRow() else {
                isOver = true
                lines.finish()
                return lines.take()
            }
            lines.append(batch, row)
            row += 1
        }
        return lines.take()
    }

    /// False where nothing is left that may be written.
    private mutating func prepareRow() async throws -> Bool {
        // A table says whether there are more.
        if lines.count == limit && !isTable { return false }
        if row == batch.count {
            guard let next = try await pages.next() else { return false }
            (batch, row) = (next, 0)
        }
        guard lines.count < limit else {
            lines.isCut = true
            return false
        }
        return true
    }
}

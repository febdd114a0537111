import Storage

/// Rows of a statement one after the other, of which a page at a time is in memory. In the caller's transaction.
struct MoneyCursor {
    static let maxPage = 2_000

    private let connection: PostgresConnection
    private var page: [MoneyRow] = []
    private var place = 0
    private var isAtEnd = false

    init(_ statement: SQL, on connection: PostgresConnection) throws {
        self.connection = connection
        try connection.execute("DECLARE money NO SCROLL CURSOR FOR \(sql: statement)")
        try fetch()
    }

    /// Nil at the end.
    mutating func next() throws -> MoneyRow? {
        if place == page.count, !isAtEnd { try fetch() }
        guard place < page.count else { return nil }
        defer { place += 1 }
        return page[place]
    }

    private mutating func fetch() throws {
        page = try connection.query("FETCH \(unescaped: "\(Self.maxPage)") FROM money").map(MoneyRow.init)
        place = 0
        isAtEnd = page.count < Self.maxPage
    }
}

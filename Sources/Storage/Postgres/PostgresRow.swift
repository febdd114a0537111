/// One row of a result, which it keeps alive.
package struct PostgresRow: Sendable {
    package let rows: PostgresRows
    package let index: Int

    init(rows: PostgresRows, index: Int) {
        self.rows = rows
        self.index = index
    }

    /// The column as a Swift value: an optional one where it may be NULL.
    package func get<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self) throws -> T {
        do {
            return try unsafe rows.withCell(row: index, column: column) { bytes, type throws(PostgresDecodingError) in
                try unsafe T.decode(bytes, type: type)
            }
        } catch {
            throw PostgresError(.decoding, "column \(column) as \(T.self): \(error)")
        }
    }

    package func get<T: PostgresDecodable>(_ name: String, as type: T.Type = T.self) throws -> T {
        guard let column = rows.column(named: name) else { throw PostgresError(.decoding, "no column \(name)") }
        return try get(column)
    }

    /// The column's bytes where they lie, for a `bytea`; empty for NULL.
    ///
    /// - Parameter body: Must not keep the buffer.
    package func withBytes<R>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try unsafe rows.withCell(row: index, column: column) { bytes, _ in
            try unsafe body(bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    package func isNull(_ column: Int) -> Bool {
        unsafe rows.withCell(row: index, column: column) { bytes, _ in unsafe bytes == nil }
    }
}

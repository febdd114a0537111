import CPostgres
import Synchronization

/// A statement's result. Frees it when the last row that refers to it is gone.
@safe package final class PostgresRows: Sequence, Sendable {
    // libpq: a PGresult outlives its connection and is read-only, until PQclear; any thread may read it.
    private nonisolated(unsafe) let result: OpaquePointer
    package let count: Int
    private let columns: Int
    /// Nil until somebody asks.
    private let columnsByName = Mutex<[String: Int]?>(nil)

    /// Takes the result over.
    init(_ result: OpaquePointer) {
        unsafe self.result = result
        count = Int(unsafe PQntuples(result))
        columns = Int(unsafe PQnfields(result))
    }

    deinit { unsafe PQclear(result) }

    package var isEmpty: Bool { count == 0 }
    package var first: PostgresRow? { count == 0 ? nil : self[0] }

    package subscript(index: Int) -> PostgresRow {
        precondition(index >= 0 && index < count, "no row \(index) of \(count)")
        return PostgresRow(rows: self, index: index)
    }

    package func makeIterator() -> some IteratorProtocol<PostgresRow> {
        (0..<count).lazy.map { PostgresRow(rows: self, index: $0) }.makeIterator()
    }

    /// Rows inserted, changed, deleted or selected.
    var affected: Int {
        Int(unsafe String(cString: PQcmdTuples(result))) ?? 0
    }

    /// Such as `COMMIT`.
    var commandTag: String {
        unsafe String(cString: PQcmdStatus(result))
    }

    var status: ExecStatusType { unsafe PQresultStatus(result) }

    func column(named name: String) -> Int? {
        columnsByName.withLock { known in
            if let known { return known[name] }
            var byName: [String: Int] = [:]
            for column in 0..<columns {
                // libpq: a name in its result.
                let name = unsafe String(cString: PQfname(result, CInt(column)))
                // Of columns with the same name, the first.
                if byName[name] == nil { byName[name] = column }
            }
            known = byName
            return byName[name]
        }
    }

    func withCell<R, Failure: Error>(
        row: Int, column: Int, _ body: (UnsafeRawBufferPointer?, PostgresType) throws(Failure) -> R
    ) throws(Failure) -> R {
        precondition(column >= 0 && column < columns, "no column \(column) of \(columns)")
        let type = PostgresType(rawValue: unsafe PQftype(result, CInt(column)))
        if unsafe PQgetisnull(result, CInt(row), CInt(column)) != 0 { return try body(nil, type) }
        // libpq: valid as long as the result, which this object holds.
        let bytes = unsafe UnsafeRawBufferPointer(
            start: PQgetvalue(result, CInt(row), CInt(column)),
            count: Int(PQgetlength(result, CInt(row), CInt(column))))
        return try unsafe body(bytes, type)
    }

    // MARK: Many rows

    /// A `bigint`, as `PostgresRow.get` gives it: without its detour by a type, for results of very many rows.
    package func bigint(row: Int, column: Int) throws -> Int64 {
        try unsafe withCell(row: row, column: column) { bytes, type in
            guard let bytes = unsafe bytes, type == .int8, bytes.count == 8 else {
                throw PostgresError(.decoding, "column \(column) is no bigint")
            }
            return Int64(bigEndian: unsafe bytes.loadUnaligned(as: Int64.self))
        }
    }

    /// A finite `timestamptz`, in microseconds since 1970.
    package func microseconds(row: Int, column: Int) throws -> Int64 {
        try unsafe withCell(row: row, column: column) { bytes, type in
            guard let bytes = unsafe bytes, type == .timestamptz, bytes.count == 8 else {
                throw PostgresError(.decoding, "column \(column) is no timestamptz")
            }
            return Int64(bigEndian: unsafe bytes.loadUnaligned(as: Int64.self)) + PostgresTimestamp.epochMs * 1000
        }
    }

    /// The column's bytes where they lie; empty for NULL. Not to be kept longer than this object.
    @unsafe package func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer {
        unsafe withCell(row: row, column: column) { bytes, _ in
            unsafe bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    /// The error that this result is, if it is one.
    func error(statement: String?) -> PostgresError? {
        let status = unsafe PQresultStatus(result)
        guard status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE else { return nil }
        func field(_ code: Character) -> String? {
            guard let text = unsafe PQresultErrorField(result, CInt(code.asciiValue!)) else { return nil }
            return unsafe String(cString: text)
        }
        let message = unsafe field("M") ?? String(cString: PQresultErrorMessage(result))
        return PostgresError(
            Self.kind(sqlState: field("C")), message, detail: field("D"), hint: field("H"), statement: statement)
    }

    private static func kind(sqlState: String?) -> PostgresError.Kind {
        // Without a code it is libpq that speaks: the connection is gone.
        guard let sqlState else { return .unavailable }
        // Connection exceptions; the server is stopping, has crashed, or is starting.
        if sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03"].contains(sqlState) { return .unavailable }
        // A standby: the primary is elsewhere by now, or will be.
        if sqlState == "25006" { return .unavailable }
        return .server(sqlState: sqlState)
    }
}

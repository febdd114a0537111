import CPostgres
import Glibc

/// One blocking connection. Every call waits for the server's answer; use it on one thread.
@safe package final class PostgresConnection: ThreadConfinedConnection {
    /// Statements kept prepared; the oldest is deallocated for the next one.
    package static let maxPreparedStatements = 256
    /// Beyond the server's own statement timeout, how long to wait for its answer before giving the connection up.
    static let maxOverrun = Duration.seconds(5)
    /// Rows of a COPY are sent in pieces of about this size.
    static let maxCopyPiece = 64 * 1024

    package static let serverName = "postgres"

    package let interrupt: Interrupt
    // libpq: a PGconn may be used by one thread at a time, and is freed by PQfinish.
    private let handle: OpaquePointer
    private var statementTimeout: Duration
    private var prepared: [PreparedKey: String] = [:]
    private var preparedOrder: [PreparedKey] = []
    private var preparedCount = 0
    private var isLost = false

    private struct PreparedKey: Hashable {
        let text: String
        let types: [PostgresType]
    }

    package init(_ configuration: PostgresConfiguration) throws {
        do { interrupt = try Interrupt() } catch {
            throw PostgresError(.unavailable, "no file descriptor left for a connection")
        }
        statementTimeout = configuration.statementTimeout
        let parameters = configuration.parameters
        let connection = unsafe withCStrings(parameters.map(\.keyword)) { keywords in
            unsafe withCStrings(parameters.map(\.value)) { values in
                unsafe PQconnectdbParams(keywords, values, 0)
            }
        }
        guard let connection = unsafe connection else { throw PostgresError(.unavailable, "out of memory") }
        unsafe handle = unsafe connection
        guard unsafe PQstatus(connection) == CONNECTION_OK, unsafe PQsetnonblocking(connection, 1) == 0 else {
            // `deinit` frees the connection.
            throw PostgresError(.unavailable, unsafe String(cString: PQerrorMessage(connection)))
        }
        // Notices would go to stderr.
        unsafe PQsetNoticeProcessor(connection, { _, _ in }, nil)
    }

    deinit { unsafe PQfinish(handle) }

    package static func error(for refusal: Refusal) -> any Error {
        switch refusal {
        case .overloaded(let maxWaiting):
            PostgresError(.overloaded, "\(maxWaiting) pieces of work wait for a connection already")
        case .backingOff(let lastError):
            PostgresError(.unavailable, "waiting to connect again after: \(lastError)")
        case .canceled:
            PostgresError(.canceled, "cancelled before it began")
        case .shutDown:
            PostgresError(.unavailable, "shut down")
        }
    }

    /// False where the connection is lost, the server has closed it, or a transaction was left open.
    package var isHealthy: Bool {
        guard isIdle else { return false }
        // An idle server says nothing, but for rare notices and its last words.
        for _ in 0..<3 {
            guard Interrupt.isReadable(socket) else { return unsafe PQstatus(handle) == CONNECTION_OK }
            guard unsafe PQconsumeInput(handle) == 1, unsafe PQisBusy(handle) == 0 else { return false }
        }
        return false
    }

    package var isIdle: Bool { unsafe !isLost && PQtransactionStatus(handle) == PQTRANS_IDLE }

    // MARK: Statements

    package func query(_ sql: SQL) throws -> PostgresRows {
        try perform(sql, each: nil)
    }

    /// Returns the number of rows inserted, changed or deleted.
    @discardableResult
    package func execute(_ sql: SQL) throws -> Int {
        try perform(sql, each: nil).affected
    }

    /// Hands over row by row as they arrive, in constant memory.
    ///
    /// - Parameter each: Must not use the connection. Where it throws, the statement is cancelled.
    package func stream(_ sql: SQL, each: (PostgresRow) throws -> Void) throws {
        try withoutActuallyEscaping(each) { each in
            _ = try perform(sql, each: each)
        }
    }

    /// Runs several statements without parameters, in one transaction where they open none: for migrations.
    package func run(script: String) throws {
        try runSimple(script)
    }

    /// - Parameter maxLockWait: a statement that waits longer for a lock fails; nil: as long as it may take.
    package func transaction<R>(
        isolation: PostgresIsolation = .readCommitted, maxLockWait: Duration? = nil,
        _ body: (PostgresConnection) throws -> R
    ) throws -> R {
        precondition(unsafe PQtransactionStatus(handle) == PQTRANS_IDLE, "transactions do not nest")
        let lockTimeout = maxLockWait.map { "; SET LOCAL lock_timeout = \($0.wholeMilliseconds)" }
        try runSimple("BEGIN ISOLATION LEVEL \(isolation.rawValue)" + (lockTimeout ?? ""))
        let result: R
        do {
            result = try body(self)
        } catch {
            rollback()
            throw error
        }
        let commit: PostgresRows
        do {
            // Not interruptible: whoever is told that it was cancelled may rely on it.
            commit = try runSimple("COMMIT", interruptible: false)
        } catch {
            // Such as a deferred constraint.
            if unsafe PQtransactionStatus(handle) != PQTRANS_IDLE { rollback() }
            throw error
        }
        // What the server answers where `body` has swallowed an error.
        guard commit.commandTag == "COMMIT" else {
            throw PostgresError(.server(sqlState: "25P02"), "the transaction had failed and was rolled back")
        }
        return result
    }

    /// Sets the statement timeout for `body`; zero for none.
    package func withStatementTimeout<R>(_ timeout: Duration, _ body: () throws -> R) throws -> R {
        let previous = statementTimeout
        func set(_ timeout: Duration) throws {
            try runSimple("SET statement_timeout = \(timeout.wholeMilliseconds)", interruptible: false)
            statementTimeout = timeout
        }
        try set(timeout)
        do {
            let result = try body()
            try set(previous)
            return result
        } catch {
            // In a failed transaction this fails, and rolling back restores the setting.
            statementTimeout = previous
            if unsafe PQtransactionStatus(handle) == PQTRANS_IDLE { try? set(previous) }
            throw error
        }
    }

    /// Appends rows by COPY in binary format and returns their number.
    ///
    /// - Parameters:
    ///   - table: Part of the statement as it is.
    ///   - rows: Each with one value a column, of exactly the column's type: COPY converts nothing.
    @discardableResult
    package func copyIn(
        _ table: String, columns: [String], rows: some Sequence<[any PostgresEncodable]>
    ) throws -> Int {
        let names = columns.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ", ")
        let statement = "COPY \(table) (\(names)) FROM STDIN (FORMAT binary)"
        try begin(interruptible: true)
        guard unsafe PQsendQuery(handle, statement) == 1 else { throw failure(statement) }
        let start = try awaitResult(interruptible: true)
        guard let start, start.status == PGRES_COPY_IN else {
            return try finish(statement, last: start, interruptible: true).affected
        }
        do {
            var piece = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0]
            piece.appendBigEndian(Int32(0))
            piece.appendBigEndian(Int32(0))
            for row in rows {
                guard row.count == columns.count else {
                    throw PostgresError(
                        .server(sqlState: "22P04"), "a row of \(row.count) values for \(columns.count) columns",
                        statement: statement)
                }
                piece.appendBigEndian(Int16(row.count))
                for value in row { _ = piece.appendField(value) }
                if piece.count >= Self.maxCopyPiece {
                    try putCopy(piece)
                    piece.removeAll(keepingCapacity: true)
                }
            }
            piece.appendBigEndian(Int16(-1))
            try putCopy(piece)
            try endCopy(error: nil)
        } catch {
            if !isLost {
                try? endCopy(error: "aborted by the client")
                _ = try? finish(statement, last: nil, interruptible: false)
            }
            throw error
        }
        return try finish(statement, last: nil, interruptible: true).affected
    }

    // MARK: Extended protocol

    private func perform(_ sql: SQL, each: ((PostgresRow) throws -> Void)?) throws -> PostgresRows {
        let key = PreparedKey(text: sql.text, types: sql.binds.map(\.type))
        let wasPrepared = prepared[key] != nil
        do {
            return try perform(sql, key: key, each: each)
        } catch let error as PostgresError where wasPrepared && Self.isStale(error) {
            // A migration or `DEALLOCATE ALL` came between. It failed before it did anything.
            prepared[key] = nil
            preparedOrder.removeAll { $0 == key }
            guard unsafe PQtransactionStatus(handle) == PQTRANS_IDLE else { throw error }
            return try perform(sql, key: key, each: each)
        }
    }

    private static func isStale(_ error: PostgresError) -> Bool {
        error.sqlState == "26000" || (error.sqlState == "0A000" && error.message.contains("cached plan"))
    }

    private func perform(
        _ sql: SQL, key: PreparedKey, each: ((PostgresRow) throws -> Void)?
    ) throws -> PostgresRows {
        let name = try prepare(sql, key)
        try begin(interruptible: true)
        guard send(sql, prepared: name) else { throw failure(sql.text) }
        if let each {
            _ = unsafe PQsetSingleRowMode(handle)
            try flush(interruptible: true)
            while let result = try awaitResult(interruptible: true) {
                guard result.status == PGRES_SINGLE_TUPLE else {
                    return try finish(sql.text, last: result, interruptible: true)
                }
                do {
                    try each(result[0])
                } catch {
                    sendCancel()
                    _ = try? finish(nil, last: nil, interruptible: false)
                    throw error
                }
            }
        }
        return try finish(sql.text, last: nil, interruptible: true)
    }

    private func prepare(_ sql: SQL, _ key: PreparedKey) throws -> String {
        if let name = prepared[key] { return name }
        if preparedOrder.count >= Self.maxPreparedStatements,
            unsafe PQtransactionStatus(handle) != PQTRANS_INERROR
        {
            let oldest = preparedOrder.removeFirst()
            if let name = prepared.removeValue(forKey: oldest) { try runSimple("DEALLOCATE \(name)") }
        }
        preparedCount += 1
        let name = "s\(preparedCount)"
        try begin(interruptible: true)
        let types = key.types.map(\.rawValue)
        guard unsafe PQsendPrepare(handle, name, sql.text, CInt(types.count), types) == 1 else {
            throw failure(sql.text)
        }
        _ = try finish(sql.text, last: nil, interruptible: true)
        prepared[key] = name
        preparedOrder.append(key)
        return name
    }

    private func send(_ sql: SQL, prepared name: String) -> Bool {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 + sql.binds.reduce(0) { $0 + ($1.bytes?.count ?? 0) })
        var offsets: [Int?] = []
        for bind in sql.binds {
            offsets.append(bind.bytes == nil ? nil : bytes.count)
            bytes += bind.bytes ?? []
        }
        // So that an empty value at the end still has an address: a null one would mean NULL.
        bytes.append(0)
        let lengths = sql.binds.map { CInt($0.bytes?.count ?? 0) }
        let formats = [CInt](repeating: 1, count: sql.binds.count)
        return unsafe bytes.withUnsafeBytes { bytes in
            let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress!
            let values = unsafe offsets.map { offset in unsafe offset.map { unsafe start + $0 } }
            // libpq copies the values before it returns.
            return unsafe PQsendQueryPrepared(handle, name, CInt(values.count), values, lengths, formats, 1) == 1
        }
    }

    // MARK: Simple protocol

    @discardableResult
    private func runSimple(_ text: String, interruptible: Bool = true) throws -> PostgresRows {
        try begin(interruptible: interruptible)
        guard unsafe PQsendQuery(handle, text) == 1 else { throw failure(text) }
        return try finish(text, last: nil, interruptible: interruptible)
    }

    private func rollback() {
        do { try runSimple("ROLLBACK", interruptible: false) } catch { isLost = true }
    }

    // MARK: COPY

    private func putCopy(_ piece: [UInt8]) throws {
        try retryWhileFull {
            unsafe piece.withUnsafeBytes { bytes in
                unsafe PQputCopyData(
                    handle, bytes.bindMemory(to: CChar.self).baseAddress, CInt(bytes.count))
            }
        }
    }

    private func endCopy(error: String?) throws {
        try retryWhileFull { unsafe PQputCopyEnd(handle, error) }
    }

    /// libpq: 1 is sent or queued, 0 that its buffer is full, -1 an error.
    private func retryWhileFull(_ put: () -> CInt) throws {
        while true {
            let outcome = put()
            if outcome == 1 { return try flush(interruptible: true) }
            guard outcome == 0 else { throw failure(nil) }
            try flush(interruptible: true)
        }
    }

    // MARK: Waiting

    private var socket: CInt { unsafe PQsocket(handle) }
    private var cancelSent = false

    private func begin(interruptible: Bool) throws {
        if isLost { throw PostgresError(.unavailable, "the connection is lost") }
        cancelSent = false
        if interruptible && interrupt.isSignaled { throw PostgresError(.canceled, "cancelled") }
    }

    private func flush(interruptible: Bool) throws {
        while true {
            switch unsafe PQflush(handle) {
            case 0: return
            case 1:
                try wait(POLLIN | POLLOUT, interruptible: interruptible)
                // The server may have to get rid of an answer before it reads on.
                if Interrupt.isReadable(socket), unsafe PQconsumeInput(handle) == 0 { throw failure(nil) }
            default: throw failure(nil)
            }
        }
    }

    /// The statement's next result; nil after the last.
    private func awaitResult(interruptible: Bool) throws -> PostgresRows? {
        try flush(interruptible: interruptible)
        while unsafe PQisBusy(handle) == 1 {
            try wait(POLLIN, interruptible: interruptible)
            if unsafe PQconsumeInput(handle) == 0 { throw failure(nil) }
        }
        guard let result = unsafe PQgetResult(handle) else { return nil }
        return unsafe PostgresRows(result)
    }

    /// Reads the statement's results to the end; throws the first error, returns the last result.
    private func finish(_ statement: String?, last: PostgresRows?, interruptible: Bool) throws -> PostgresRows {
        var last = last
        var error = last?.error(statement: statement)
        while let result = try awaitResult(interruptible: interruptible) {
            switch result.status {
            case PGRES_COPY_IN: try endCopy(error: "unexpected")
            case PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // libpq would return it for ever.
                isLost = true
                throw PostgresError(.decoding, "COPY TO STDOUT is not supported", statement: statement)
            default: break
            }
            if error == nil { error = result.error(statement: statement) }
            last = result
        }
        if unsafe PQstatus(handle) != CONNECTION_OK { isLost = true }
        if var error {
            if cancelSent && error.sqlState == "57014" { error.kind = .canceled }
            // Another server may be able to.
            if error.kind == .unavailable { isLost = true }
            throw error
        }
        guard let last else { throw failure(statement) }
        return last
    }

    private func wait(_ events: CInt, interruptible: Bool) throws {
        let limit: Duration? = statementTimeout == .zero ? nil : statementTimeout + Self.maxOverrun
        var deadline = limit.map { ContinuousClock.now + $0 }
        if cancelSent { deadline = .now + Self.maxOverrun }
        while true {
            let listens = interruptible && !cancelSent
            switch interrupt.wait(for: socket, events: events, until: deadline, interruptible: listens) {
            case .ready: return
            case .interrupted:
                sendCancel()
                deadline = .now + Self.maxOverrun
            case .timedOut:
                isLost = true
                throw PostgresError(.unavailable, "no answer from the server")
            }
        }
    }

    /// Asks the server, on a connection of its own, to stop the running statement.
    private func sendCancel() {
        cancelSent = true
        guard let cancel = unsafe PQgetCancel(handle) else { return }
        var message = [CChar](repeating: 0, count: 256)
        // Where it fails, the deadline ends the wait.
        _ = unsafe PQcancel(cancel, &message, CInt(message.count))
        unsafe PQfreeCancel(cancel)
    }

    /// The error that libpq has just reported.
    private func failure(_ statement: String?) -> PostgresError {
        let message = unsafe String(cString: PQerrorMessage(handle))
        if unsafe PQstatus(handle) == CONNECTION_OK, unsafe PQtransactionStatus(handle) != PQTRANS_ACTIVE {
            // Such as more parameters than fit.
            return PostgresError(.server(sqlState: "08P01"), message, statement: statement)
        }
        isLost = true
        return PostgresError(.unavailable, message, statement: statement)
    }
}

/// Calls `body` with a null-terminated array of C strings, valid until it returns.
private func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
) -> R {
    var pointers: [UnsafePointer<CChar>?] = unsafe strings.map { string in
        unsafe UnsafePointer(strdup(string))
    }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { pointer in unsafe free(UnsafeMutablePointer(mutating: pointer)) } }
    return unsafe body(pointers)
}

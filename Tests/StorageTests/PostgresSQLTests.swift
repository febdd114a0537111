import Storage
import TestSupport
import Testing

@Suite struct PostgresSQLTests {
    @Test func valuesBecomeBinds() {
        let id = "a"
        let sql: SQL = "SELECT \(id), \(1 as Int64) WHERE x = \(id)"
        #expect(sql.text == "SELECT $1, $2 WHERE x = $3")
        #expect(sql.binds.map(\.type) == [.text, .int8, .text])
        #expect(sql.binds[0].bytes == [0x61])
    }

    @Test func literalsHaveNoBinds() {
        let sql: SQL = "SELECT '$1'"
        #expect(sql.text == "SELECT '$1'")
        #expect(sql.binds.isEmpty)
    }

    @Test func splicedStatementsAreRenumbered() {
        let inner: SQL = "artist_id = \("x") AND note <> '$1' AND hour >= \(PostgresTimestamp(ms: 0))"
        let outer: SQL = "SELECT \(1) FROM t WHERE \(sql: inner) LIMIT \(5)"
        #expect(outer.text == "SELECT $1 FROM t WHERE artist_id = $2 AND note <> '$1' AND hour >= $3 LIMIT $4")
        #expect(outer.binds.map(\.type) == [.int8, .text, .timestamptz, .int8])
        let sum: SQL = inner + " OR \(true)"
        #expect(sum.text == "artist_id = $1 AND note <> '$1' AND hour >= $2 OR $3")
    }

    @Test func unescapedTextIsSpliced() {
        let column = "hour"
        let sql: SQL = "SELECT \(unescaped: column) FROM t WHERE a = \(2)"
        #expect(sql.text == "SELECT hour FROM t WHERE a = $1")
    }

    @Test func nilIsANullOfItsType() {
        let sql: SQL = "SELECT \(nil as Int32?)"
        #expect(sql.binds == [PostgresBind(nil as Int32?)])
        #expect(sql.binds[0].type == .int4)
        #expect(sql.binds[0].bytes == nil)
    }

    @Test func hostileValuesStayValues() async throws {
        try await withEmptyDatabase { _, pool in
            let hostile = "'; DROP TABLE victims; --\u{0001}$1 \\' \"x\""
            let (echoed, count) = try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE victims (name text)")
                try connection.execute("INSERT INTO victims VALUES (\(hostile))")
                let row = try connection.query("SELECT name, count(*) OVER () FROM victims WHERE name = \(hostile)")[0]
                return (try row.get(0, as: String.self), try row.get(1, as: Int.self))
            }
            #expect(echoed == hostile)
            #expect(count == 1)
        }
    }
}

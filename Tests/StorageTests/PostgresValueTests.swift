import Core
import Storage
import TestSupport
import Testing

@Suite struct PostgresValueTests {
    /// Sends each value and reads it back, by itself and as what the server prints it as.
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [(Value, String?)]
    ) async throws {
        let configuration = try PostgresConfiguration(url: await TestServers.shared.postgresURL())
        let pool = PostgresPool(configuration, connections: 1, logger: testLogger)
        for (value, printed) in values {
            let (echo, text) = try await pool.withConnection { connection in
                let row = try connection.query("SELECT \(value), \(value)::text")[0]
                return Echo(value: try row.get(0, as: Value.self), text: try row.get(1, as: String?.self))
            }.both
            #expect(echo == value)
            #expect(text == printed)
        }
        await pool.shutdown()
    }

    private struct Echo<Value: Sendable>: Sendable {
        let value: Value
        let text: String?
        var both: (Value, String?) { (value, text) }
    }

    @Test func booleans() async throws {
        try await roundTrip([(true, "true"), (false, "false")])
        try await roundTrip([(nil as Bool?, nil), (true, "true")])
    }

    @Test func integers() async throws {
        try await roundTrip([(Int16.min, "-32768"), (.max, "32767"), (0, "0")])
        try await roundTrip([(Int32.min, "-2147483648"), (.max, "2147483647"), (-1, "-1")])
        try await roundTrip([(Int64.min, "-9223372036854775808"), (.max, "9223372036854775807")])
        try await roundTrip([(Int.min, "-9223372036854775808"), (7, "7")])
        try await roundTrip([(nil as Int16?, nil), (3, "3")])
        try await roundTrip([(nil as Int32?, nil)])
        try await roundTrip([(nil as Int64?, nil)])
        try await roundTrip([(nil as Int?, nil)])
    }

    @Test func doubles() async throws {
        try await roundTrip([(1.5, "1.5"), (-0.0, "-0"), (.infinity, "Infinity"), (1e-300, "1e-300")])
        try await roundTrip([(nil as Double?, nil)])
    }

    @Test func texts() async throws {
        try await roundTrip(
            [("", ""), ("서울 🎫", "서울 🎫"), (String(repeating: "x", count: 100_000), nil)].map { value in
                (value.0, value.1 ?? value.0)
            })
        try await roundTrip([(nil as String?, nil), ("", "")])
    }

    @Test func bytes() async throws {
        try await roundTrip([([] as [UInt8], "\\x"), ([0, 255, 10], "\\x00ff0a")])
        try await roundTrip([(nil as [UInt8]?, nil), ([], "\\x")])
    }

    @Test func slicesOfBytes() async throws {
        let slice = ([1, 2, 3, 4] as [UInt8])[1..<3]
        #expect(PostgresBind(slice) == PostgresBind([2, 3] as [UInt8]))
    }

    @Test func days() async throws {
        try await roundTrip([
            (Day(daysSince1970: 0), "1970-01-01"), (Day("2025-12-01")!, "2025-12-01"),
            (Day("1999-12-31")!, "1999-12-31"),
        ])
        try await roundTrip([(nil as Day?, nil)])
    }

    @Test func timestamps() async throws {
        try await roundTrip([
            (PostgresTimestamp(ms: 0), "1970-01-01 00:00:00+00"),
            (PostgresTimestamp(ms: -1), "1969-12-31 23:59:59.999+00"),
            (PostgresTimestamp(ms: 1_764_930_600_123), "2025-12-05 10:30:00.123+00"),
            (.infinity, "infinity"), (.negativeInfinity, "-infinity"),
        ])
        try await roundTrip([(nil as PostgresTimestamp?, nil)])
    }

    @Test func arrays() async throws {
        try await roundTrip([([1, -2] as [Int16], "{1,-2}"), ([], "{}")])
        try await roundTrip([([1, -2] as [Int32], "{1,-2}"), ([], "{}")])
        try await roundTrip([([1, .max] as [Int64], "{1,9223372036854775807}"), ([], "{}")])
        try await roundTrip([([3, 4] as [Int], "{3,4}")])
        try await roundTrip([(["a", "", "b\"c"], "{a,\"\",\"b\\\"c\"}"), ([], "{}")])
        try await roundTrip([([[1], [], [2, 3]] as [[UInt8]], "{\"\\\\x01\",\"\\\\x\",\"\\\\x0203\"}")])
        try await roundTrip([([Day("2025-12-01")!], "{2025-12-01}")])
        try await roundTrip([([PostgresTimestamp.infinity, .init(ms: 0)], "{infinity,\"1970-01-01 00:00:00+00\"}")])
    }

    @Test func arraysWithNulls() async throws {
        try await roundTrip([(["a", nil] as [String?], "{a,NULL}"), ([nil], "{NULL}"), ([], "{}")])
        try await roundTrip([([nil, 5] as [Int64?], "{NULL,5}")])
        try await roundTrip([([nil, .init(ms: 0)] as [PostgresTimestamp?], "{NULL,\"1970-01-01 00:00:00+00\"}")])
        try await roundTrip([(nil as [Int64]?, nil), ([1], "{1}")])
    }

    @Test func unnestedArraysMakeRows() async throws {
        try await withEmptyDatabase { _, pool in
            let ids = (0..<10_000).map { Int64($0) }
            let names = ids.map { $0 % 3 == 0 ? nil : "n\($0)" }
            let (count, nulls) = try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (id bigint, name text)")
                let inserted = try connection.execute("INSERT INTO t SELECT * FROM unnest(\(ids), \(names))")
                return (
                    inserted, try connection.query("SELECT count(*) FROM t WHERE name IS NULL")[0].get(0, as: Int.self)
                )
            }
            #expect(count == 10_000)
            #expect(nulls == 3334)
        }
    }

    @Test func narrowColumnsAreReadAsWiderIntegers() async throws {
        let pool = try PostgresPool(
            PostgresConfiguration(url: await TestServers.shared.postgresURL()), connections: 1, logger: testLogger)
        try await pool.withConnection { connection in
            let row = try connection.query(
                "SELECT 1::int2 AS a, 2::int4 AS b, 'x'::varchar AS c, 'y'::name AS d, NULL AS e")[0]
            #expect(try row.get(0, as: Int.self) == 1)
            #expect(try row.get("b", as: Int64.self) == 2)
            #expect(try row.get("b", as: Int32.self) == 2)
            #expect(try row.get("c", as: String.self) == "x")
            #expect(try row.get("d", as: String.self) == "y")
            #expect(row.isNull(4))
        }
        await pool.shutdown()
    }

    @Test func wrongReadsAreDecodingErrors() async throws {
        let pool = try PostgresPool(
            PostgresConfiguration(url: await TestServers.shared.postgresURL()), connections: 1, logger: testLogger)
        try await pool.withConnection { connection in
            let row = try connection.query("SELECT 1::int8 AS a, NULL::text AS b, 'infinity'::date AS c")[0]
            #expect(throws: PostgresError.self) { try row.get(0, as: Int32.self) }
            #expect(throws: PostgresError.self) { try row.get(0, as: String.self) }
            #expect(throws: PostgresError.self) { try row.get("b", as: String.self) }
            #expect(throws: PostgresError.self) { try row.get("c", as: Day.self) }
            #expect(throws: PostgresError.self) { try row.get("missing", as: Int.self) }
        }
        await pool.shutdown()
    }

    @Test func timestampsBeyondTheServersAreRefused() async throws {
        let pool = try PostgresPool(
            PostgresConfiguration(url: await TestServers.shared.postgresURL()), connections: 1, logger: testLogger)
        let far: [Int64] = [.max - 1, .min + 1, 10_000_000_000_000_000]
        for ms in far {
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection { connection in
                    _ = try connection.query("SELECT \(PostgresTimestamp(ms: ms))")
                }
            }
            #expect(error?.sqlState == "22008")
        }
        await pool.shutdown()
    }

    @Test func bytesAreReadWhereTheyLie() async throws {
        let pool = try PostgresPool(
            PostgresConfiguration(url: await TestServers.shared.postgresURL()), connections: 1, logger: testLogger)
        let sums = try await pool.withConnection { connection in
            let rows = try connection.query("SELECT \([1, 2, 3] as [UInt8]) UNION ALL SELECT NULL")
            return rows.map { row in row.withBytes(0) { $0.reduce(0) { $0 + Int($1) } } }
        }
        #expect(sums == [6, 0])
        await pool.shutdown()
    }
}

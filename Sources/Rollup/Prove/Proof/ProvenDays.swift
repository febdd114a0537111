import Core
import Storage

/// What this program has proven, in Postgres.
enum ProvenDays {
    static func read(on connection: PostgresConnection) throws -> [Day: ProvenDay] {
        var days: [Day: ProvenDay] = [:]
        for row in try connection.query(
            """
            SELECT day, seed, last_slot, beacons, digest FROM proven_days
            WHERE program = \(try ProgramDigest.own())
            """)
        {
            days[try row.get(0)] = ProvenDay(
                seed: try row.get(1), lastSlot: try row.get(2), digest: try row.get(4), beacons: try row.get(3))
        }
        return days
    }

    /// After the snapshot in which they were proven, which whoever does the same meanwhile must not fail.
    static func remember(_ days: [Day: ProvenDay], on connection: PostgresConnection) throws {
        let sorted = days.sorted { $0.key < $1.key }
        try connection.execute(
            """
            INSERT INTO proven_days (day, program, seed, last_slot, beacons, digest)
            SELECT day, \(try ProgramDigest.own()), seed, last_slot, beacons, digest
            FROM unnest(\(sorted.map(\.key)), \(sorted.map(\.value.seed)), \(sorted.map(\.value.lastSlot)),
                \(sorted.map { Int64($0.value.beacons) }),
                \(sorted.map(\.value.digest))) AS new (day, seed, last_slot, beacons, digest)
            ON CONFLICT (day) DO UPDATE SET program = excluded.program, seed = excluded.seed,
                last_slot = excluded.last_slot, beacons = excluded.beacons,
                digest = excluded.digest, proven_at = now()
            """)
    }
}

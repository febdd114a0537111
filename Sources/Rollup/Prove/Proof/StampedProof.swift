import Core
import Storage

/// Proves that repeats of ids that the server stamped were decided as the rule says, and that the ledger has them.
enum StampedProof {
    /// More than these are left to the exact comparison, which sorts them in Postgres.
    static let maxStamped = 2_000_000

    /// - Parameters:
    ///   - stamped: in no order.
    ///   - computed: for beacons received before or after, what was decided is taken as it is recorded.
    ///   - isWhole: all that there are, of those that were received from `first` on.
    static func holds(
        _ stamped: [DayProof.Stamped], computed: Range<Int64>, isWhole: Bool, from first: Int64 = .min,
        on connection: PostgresConnection
    ) throws -> Bool {
        let known = Set(stamped.map(\.id))
        // Those of erased beacons come first.
        var counted: [UInt64: Int64] = [:]
        var received: Set<Receipt> = []
        var erased: Set<UInt64> = []
        try connection.stream(
            "SELECT id, (extract(epoch FROM received_at) * 1000)::bigint FROM erased_stamped_ids ORDER BY id, received_at"
        ) { row in
            let id = UInt64(bitPattern: try row.get(0))
            guard isWhole || known.contains(id) else { return }
            counted[id] = try row.get(1)
            received.insert(Receipt(id: id, ms: counted[id]!))
            erased.insert(id)
        }
        for beacon in stamped.sorted(by: { ($0.batch, $0.row) < ($1.batch, $1.row) }) {
            let isRepeat =
                computed.contains(beacon.receivedAt)
                ? RepeatedMessages.isStampedRepeat(beacon.receivedAt, ofCounted: counted[beacon.id])
                : beacon.isRecordedRepeat
            guard isRepeat == beacon.isRecordedRepeat else { return false }
            if !isRepeat { counted[beacon.id] = beacon.receivedAt }
            received.insert(Receipt(id: beacon.id, ms: beacon.receivedAt))
        }
        // Which of an erased one and another was counted last is not known any more.
        let last = counted.filter { !erased.contains($0.key) }
        return try !isWhole || ledgerHolds(received, last: last, from: first, on: connection)
    }

    private struct Receipt: Hashable {
        var id: UInt64
        var ms: Int64
    }

    /// What is older than two days is forgotten some time; younger ones are all there, and each is the one that was counted
    /// last of its id.
    private static func ledgerHolds(
        _ received: Set<Receipt>, last: [UInt64: Int64], from first: Int64, on connection: PostgresConnection
    ) throws -> Bool {
        let forgotten = try connection.query(
            "SELECT (extract(epoch FROM now() - interval '2 days') * 1000)::bigint")[0].get(0, as: Int64.self)
        var holds = true
        var stored: Set<UInt64> = []
        try connection.stream(
            "SELECT id, (extract(epoch FROM received_at) * 1000)::bigint FROM stamped_message_ids"
        ) { row in
            let receipt = Receipt(id: UInt64(bitPattern: try row.get(0)), ms: try row.get(1))
            stored.insert(receipt.id)
            let isLast = receipt.ms <= forgotten || (last[receipt.id] ?? receipt.ms) == receipt.ms
            holds = holds && (receipt.ms < first || isLast && received.contains(receipt))
        }
        return holds && received.allSatisfy { $0.ms <= max(forgotten, first) || stored.contains($0.id) }
    }
}

import Core
import Storage

/// What Postgres holds of the beacons that were offered, from the raw batches less those found to be repeats.
struct StoredBeacons {
    /// How often each beacon counts, by request and row.
    private(set) var counts: [UInt8]
    /// The first batch that holds a request's first beacon, by node and the batch's last number.
    private(set) var batches: [(node: String, lastSeq: Int64)?]
    /// Instants found stored that the beacon was not sent with.
    private(set) var defects: [String] = []
    private(set) var unfoldedBatches = 0
    private(set) var repeats = 0
    private(set) var rawBeacons = 0

    init(_ load: BeaconLoad, on connection: PostgresConnection) throws {
        let requests = load.knowledge.count
        counts = [UInt8](repeating: 0, count: requests * CrashScale.beaconsPerRequest)
        batches = [(node: String, lastSeq: Int64)?](repeating: nil, count: requests)
        try connection.stream(
            """
            SELECT e.node, e.last_seq, e.payload, f.duplicates FROM analytics_events e
            LEFT JOIN rollup_folded f USING (received_day, node, seq) ORDER BY e.received_at, e.seq
            """
        ) { row in
            let node: String = try row.get(0)
            let lastSeq: Int64 = try row.get(1)
            let batch = try row.withBytes(2) {
                try BatchBlock.decode($0, columns: [.messageId, .timestamp, .artistId])
            }
            let duplicates = try row.get(3, as: [Int32]?.self)
            if duplicates == nil { unfoldedBatches += 1 }
            add(batch, Set((duplicates ?? []).map(Int.init)), (node, lastSeq), load)
        }
    }

    private mutating func add(
        _ batch: BeaconBatch, _ duplicates: Set<Int>, _ position: (node: String, lastSeq: Int64), _ load: BeaconLoad
    ) {
        rawBeacons += batch.count
        repeats += duplicates.count
        for row in 0..<batch.count {
            let id = batch[.messageId][row] ?? ""
            guard let beacon = load.beacons.position(ofMessageId: id), beacon.request < batches.count,
                beacon.row < CrashScale.beaconsPerRequest
            else {
                defects.append("a beacon nobody offered: \(id)")
                continue
            }
            if batch.timestamp[row] != load.instant(ofRequest: beacon.request) {
                defects.append("\(id) has another timestamp than it was sent with")
            }
            if beacon.row == 0, batches[beacon.request] == nil { batches[beacon.request] = position }
            if !duplicates.contains(row) {
                counts[beacon.request * CrashScale.beaconsPerRequest + beacon.row] += 1
            }
        }
    }

    /// What was acknowledged and doesn't count.
    func lost(of load: BeaconLoad) -> [String] {
        load.knowledge.enumerated().flatMap { request, knowledge -> [String] in
            guard case .acknowledged = knowledge else { return [] }
            return (0..<CrashScale.beaconsPerRequest).filter {
                counts[request * CrashScale.beaconsPerRequest + $0] == 0
            }.map { load.beacons.messageId(request, $0) }
        }
    }

    var counted: Int { counts.reduce(0) { $0 + Int($1) } }
}

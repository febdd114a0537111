import Core
import Storage

/// What Postgres holds of the beacons that were offered, from the raw batches less those found to be repeats.
///
/// Reading goes on where it ended: what is stored doesn't change, nor which of it are repeats once it is folded.
struct StoredBeacons {
    struct Position: Hashable {
        var request: Int
        var row: Int
    }

    private struct Key: Hashable {
        var node: String
        var seq: Int64
    }

    private let load: BeaconLoad
    /// By node, the last number that was read.
    private var read: [String: Int64] = [:]
    /// Batches of which it isn't known which of their beacons are repeats.
    private var unfolded: [Key: [Position]] = [:]
    /// How often each beacon counts, and how often it is stored, by request and row.
    private var counts: [UInt8] = []
    private var copies: [UInt8] = []
    /// The first batch that holds a request's first beacon, by node and the batch's last number.
    private(set) var batches: [(node: String, lastSeq: Int64)?] = []
    /// What nobody has offered, or not so.
    private(set) var defects: [String] = []
    private(set) var repeats = 0
    private(set) var rawBeacons = 0

    init(of load: BeaconLoad) {
        self.load = load
    }

    /// All that there is now.
    static func read(of load: BeaconLoad, _ pool: PostgresPool) async throws -> StoredBeacons {
        try await pool.withConnection { connection in
            var stored = StoredBeacons(of: load)
            try stored.readBatches(on: connection)
            _ = try stored.countFolded(on: connection)
            return stored
        }
    }

    var unfoldedBatches: Int { unfolded.count }
    var unfoldedBeacons: some Collection<Position> { unfolded.values.joined() }
    var counted: Int { counts.reduce(0) { $0 + Int($1) } }

    /// By row.
    func counts(ofRequest request: Int) -> ArraySlice<UInt8> { counts[rows(ofRequest: request)] }
    func copies(ofRequest request: Int) -> ArraySlice<UInt8> { copies[rows(ofRequest: request)] }

    private func rows(ofRequest request: Int) -> Range<Int> {
        request * load.beacons.perRequest..<(request + 1) * load.beacons.perRequest
    }

    private func index(_ position: Position) -> Int { position.request * load.beacons.perRequest + position.row }

    /// Reads batches that came since it was last called.
    mutating func readBatches(on connection: PostgresConnection) throws {
        grow()
        let known = Array(read)
        let keys = known.map(\.key)
        let lastSeqs = known.map(\.value)
        try connection.stream(
            """
            SELECT e.node, e.seq, e.last_seq, e.payload FROM analytics_events e
            LEFT JOIN unnest(\(keys)::text[], \(lastSeqs)::bigint[]) AS known (node, last_seq) USING (node)
            WHERE e.seq > coalesce(known.last_seq, 0) ORDER BY e.received_at, e.seq
            """
        ) { row in
            let node: String = try row.get(0)
            let lastSeq: Int64 = try row.get(2)
            let batch = try row.withBytes(3) { try BatchBlock.decode($0, columns: [.messageId, .timestamp]) }
            read[node] = max(read[node] ?? 0, lastSeq)
            let positions = positions(in: batch)
            unfolded[Key(node: node, seq: try row.get(1))] = positions
            for position in positions where position.row == 0 && batches[position.request] == nil {
                batches[position.request] = (node, lastSeq)
            }
        }
    }

    /// Counts the beacons of batches that are folded by now.
    ///
    /// - Returns: those that count, which they didn't before.
    mutating func countFolded(on connection: PostgresConnection) throws -> [Position] {
        var new: [Position] = []
        for fold in try connection.query("SELECT node, seq, duplicates FROM rollup_folded") {
            let key = Key(node: try fold.get(0), seq: try fold.get(1))
            guard let positions = unfolded.removeValue(forKey: key) else { continue }
            let duplicates = Set(try fold.get(2, as: [Int32].self).map(Int.init))
            repeats += duplicates.count
            for (row, position) in positions.enumerated() where !duplicates.contains(row) {
                counts[index(position)] += 1
                new.append(position)
            }
        }
        return new
    }

    private mutating func grow() {
        let requests = load.requestCount
        counts += repeatElement(0, count: requests * load.beacons.perRequest - counts.count)
        copies += repeatElement(0, count: counts.count - copies.count)
        batches += repeatElement(nil, count: requests - batches.count)
    }

    private mutating func positions(in batch: BeaconBatch) -> [Position] {
        rawBeacons += batch.count
        var positions: [Position] = []
        for row in 0..<batch.count {
            let id = batch[.messageId][row] ?? ""
            guard let (request, ofRequest) = load.beacons.position(ofMessageId: id), request < batches.count,
                ofRequest < load.beacons.perRequest
            else {
                defects.append("a beacon nobody offered: \(id)")
                continue
            }
            if batch.timestamp[row] != load.instant(ofRequest: request) {
                defects.append("\(id) has another timestamp than it was sent with")
            }
            let position = Position(request: request, row: ofRequest)
            copies[index(position)] += 1
            positions.append(position)
        }
        return positions
    }

    /// What was acknowledged and is not there.
    func lost() -> [Position] {
        var lost: [Position] = []
        for (request, knowledge) in load.knowledge.enumerated() {
            guard case .acknowledged = knowledge else { continue }
            for row in 0..<load.beacons.perRequest {
                let position = Position(request: request, row: row)
                if index(position) >= copies.count || copies[index(position)] == 0 { lost.append(position) }
            }
        }
        return lost
    }
}

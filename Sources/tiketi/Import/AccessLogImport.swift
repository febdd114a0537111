import Core
import Crypto
import Ingest
import Storage

/// Stores the beacons of one access log in Postgres, a batch and its pending row in one transaction.
///
/// A batch is named by what is in it, so one that is there already is passed over; a beacon that comes again in a batch
/// cut otherwise is told by its `messageId` when it is folded. So an import can be repeated, and one that was broken
/// off is repeated to be finished.
struct AccessLogImport: Sendable {
    /// The `node` of all imported batches.
    static let node = "import"
    static let maxBatchBeacons = 10_000
    /// Text in a batch, for lines of uncommon length.
    static let maxBatchBytes = 16 << 20

    struct Summary: Sendable, Equatable {
        var lines = 0
        var beacons = 0
        var badLines = 0
        var firstBadLines: [AccessLogReader.BadLine] = []
        /// Numbers (`seq`) of the batches that were not there yet.
        var stored: [Int64] = []
        var storedBeacons = 0
    }

    var path: String
    var artistPattern: String
    var eventPattern: String?
    /// The time of the import, milliseconds since 1970: the receipt of every beacon in it.
    var receivedAt: Int64

    /// Blocks while it reads and stores; memory stays bounded whatever the file's size.
    ///
    /// - Parameter progress: called after every chunk with bytes read, the file's size where known, and beacons so far.
    func run(
        on connection: PostgresConnection, progress: (_ read: Int64, _ size: Int64?, _ beacons: Int) -> Void
    ) throws -> Summary {
        var file = try LogFile(path)
        _ = try BatchStore.ensurePartition(
            of: Day(daysSince1970: Int(floorDiv(receivedAt, 86_400_000))), on: connection)
        var reader = AccessLogReader(
            artistPattern: try IdPattern(artistPattern), eventPattern: try eventPattern.map { try IdPattern($0) },
            salt: try Self.salt(on: connection), receivedAt: receivedAt)
        var splitter = LineSplitter()
        var batch = Batch()
        var summary = Summary()
        func take(_ line: LineSplitter.Line) throws {
            guard let beacon = reader.read(line) else { return }
            batch.add(beacon)
            if batch.isFull { try store(&batch, &summary, on: connection) }
        }
        while let chunk = try file.next() {
            try splitter.split(chunk, take)
            progress(file.bytesRead, file.size, reader.beacons)
        }
        try splitter.finish(take)
        try store(&batch, &summary, on: connection)
        summary.lines = reader.lines
        summary.beacons = reader.beacons
        summary.badLines = reader.badLines
        summary.firstBadLines = reader.firstBadLines
        return summary
    }

    /// Beacons that have yet to be stored.
    private struct Batch {
        private(set) var builder = BeaconBatchBuilder()
        private(set) var bytes = 0
        private var ids = SHA256()

        var isFull: Bool { builder.count >= maxBatchBeacons || bytes >= maxBatchBytes }

        mutating func add(_ beacon: Beacon) {
            builder.append(beacon)
            bytes += beacon.texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
            ids.update(data: Array((beacon[.messageId] ?? "").utf8))
        }

        /// The name and the beacons; the batch is empty afterwards.
        mutating func finish() -> (seq: Int64, beacons: BeaconBatch) {
            var seq: UInt64 = 0
            for byte in ids.finalize().prefix(8) { seq = seq << 8 | UInt64(byte) }
            let finished = (Int64(seq >> 1), builder.finish())
            self = Batch()
            return finished
        }
    }

    private func store(_ batch: inout Batch, _ summary: inout Summary, on connection: PostgresConnection) throws {
        guard batch.builder.count > 0 else { return }
        let (seq, beacons) = batch.finish()
        let stored = try BatchStore.storeImported(
            BatchStore.Batch(node: Self.node, firstSeq: seq, lastSeq: seq, receivedAt: receivedAt, encoding: beacons),
            on: connection)
        guard stored else { return }
        summary.stored.append(seq)
        summary.storedBeacons += beacons.count
    }

    /// The salt of every import into this database: made by the first one.
    private static func salt(on connection: PostgresConnection) throws -> [UInt8] {
        let new = SymmetricKey(size: .bits256).withUnsafeBytes { [UInt8]($0) }
        let epoch = Day(daysSince1970: 0)
        try connection.execute(
            "INSERT INTO visitor_salts (day, salt) VALUES (\(epoch), \(new)) ON CONFLICT DO NOTHING")
        return try connection.query("SELECT salt FROM visitor_salts WHERE day = \(epoch)")[0].get(0)
    }
}

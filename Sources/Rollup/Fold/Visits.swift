import Core

/// The counted rows of a batch, sorted by who sent them.
///
/// Each distinct text is hashed once, and rows are dealt out by its code, so that a session's beacons come one after the
/// other, nearly always in order of time.
struct Visits {
    struct Key {
        /// The session key's: `sessionId`, else the visitor.
        var hash: UInt64
        /// Where the key's places in `order` end; they begin where those of the key before end.
        var end: Int32
    }

    /// Those that have beacons. Two may have the same hash.
    private(set) var keys: [Key] = []
    /// Places in the list of counted rows, key by key; those of nobody are left out.
    private(set) var order: [Int32] = []
    /// By place in the list of counted rows: the visitor, `visitorId`, else `sessionId`, else the client's hash. For nobody
    /// it means nothing.
    private(set) var visitors: [UInt64] = []
    private var isNobody: [Bool] = []

    func visitor(at place: Int) -> UInt64? { isNobody[place] ? nil : visitors[place] }

    /// Every place in the list of counted rows with its visitor: key by key, then those of nobody.
    func forEachByKey(_ body: (_ place: Int, _ visitor: UInt64?) -> Void) {
        for place in order { body(Int(place), visitors[Int(place)]) }
        guard order.count < visitors.count else { return }
        for place in visitors.indices where isNobody[place] { body(place, nil) }
    }

    init(_ batch: BeaconBatch, _ rows: [Int32]) {
        let visitorHashes = Self.hashes(batch[.visitorId])
        let sessionHashes = Self.hashes(batch[.sessionId])
        let clientHashes = Self.hashes(batch[.clientHash])
        // One number for each key: those of sessions, visitors and clients one after the other; the last for nobody.
        let hashes = sessionHashes + visitorHashes + clientHashes
        let firstVisitor = sessionHashes.count
        let firstClient = firstVisitor + visitorHashes.count

        let sessionCodes = batch[.sessionId].codes.span
        let visitorCodes = batch[.visitorId].codes.span
        let clientCodes = batch[.clientHash].codes.span
        var numbers: [Int32] = []
        numbers.reserveCapacity(rows.count)
        visitors.reserveCapacity(rows.count)
        isNobody.reserveCapacity(rows.count)
        var ends = [Int32](repeating: 0, count: hashes.count + 1)
        for row in rows {
            let session = Int(sessionCodes[Int(row)])
            let visitor = Int(visitorCodes[Int(row)])
            let client = Int(clientCodes[Int(row)])
            var number = hashes.count
            if session != 0 {
                number = session - 1
            } else if visitor != 0 {
                number = firstVisitor + visitor - 1
            } else if client != 0 {
                number = firstClient + client - 1
            }
            numbers.append(Int32(number))
            isNobody.append(number == hashes.count)
            ends[number] += 1
            visitors.append(
                visitor != 0 ? visitorHashes[visitor - 1] : number < hashes.count ? hashes[number] : 0)
        }
        var end: Int32 = 0
        for number in hashes.indices {
            let count = ends[number]
            ends[number] = end
            end += count
            if count > 0 { keys.append(Key(hash: hashes[number], end: end)) }
        }
        // Here `ends` holds starts, which move to the ends as the places are dealt out.
        order = [Int32](repeating: 0, count: Int(end))
        for (place, number) in numbers.enumerated() where Int(number) < hashes.count {
            order[Int(ends[Int(number)])] = Int32(place)
            ends[Int(number)] += 1
        }
    }

    private static func hashes(_ column: TextColumn) -> [UInt64] {
        column.bytes.withUnsafeBytes { bytes in
            (0..<column.valueCount).map {
                Murmur3.hash64(UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: $0)]))
            }
        }
    }
}

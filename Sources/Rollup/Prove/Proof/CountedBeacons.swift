import Core

/// A batch's counted beacons as proofs look at them: session key by session key, nobody's last.
struct CountedBeacons {
    enum Kind: UInt8 {
        case other, pageView, seatView
    }

    /// Those that have beacons, and where these end.
    let keys: [Visits.Key]
    private(set) var rows: [Int32] = []
    private(set) var instants: [Int64] = []
    private(set) var visitors: [UInt64] = []
    /// Codes, 0 for none.
    private(set) var artists: [UInt32] = []
    private(set) var kinds: [Kind] = []
    /// How many have a visitor: the first ones.
    let named: Int

    init(_ batch: BeaconBatch, _ rows: [Int32]) {
        let visits = Visits(batch, rows)
        keys = visits.keys
        named = visits.order.count
        self.rows.reserveCapacity(rows.count)
        instants.reserveCapacity(rows.count)
        visitors.reserveCapacity(rows.count)
        artists.reserveCapacity(rows.count)
        kinds.reserveCapacity(rows.count)
        let pageView = batch[.eventType].code(of: "page_view")
        let seatView = batch[.eventType].code(of: "seat_view")
        let timestamps = batch.timestamp.span
        let artistCodes = batch[.artistId].codes.span
        let types = batch[.eventType].codes.span
        visits.forEachByKey { place, visitor in
            let row = rows[place]
            self.rows.append(row)
            instants.append(timestamps[Int(row)])
            visitors.append(visitor ?? 0)
            artists.append(artistCodes[Int(row)])
            let type = types[Int(row)]
            kinds.append(type == pageView ? .pageView : type == seatView ? .seatView : .other)
        }
    }
}

/// Where the batches that a row was merged from end in it.
struct BatchParts: Equatable {
    /// The last number of each, ascending.
    private(set) var seqs: [Int64] = []
    /// How many of the row's beacons are of it or of one before it.
    private(set) var ends: [Int32] = []

    init() {}

    init(seqs: [Int64], ends: [Int32]) {
        self.seqs = seqs
        self.ends = ends
    }

    /// Adds a batch, or the parts of one that was merged before.
    ///
    /// - Parameters:
    ///   - parts: nil where the batch is one part.
    ///   - kept: for each of its beacons whether it stays.
    mutating func append(lastSeq: Int64, parts: BatchParts?, kept: [Bool]) {
        let before = ends.last ?? 0
        guard let parts, !parts.seqs.isEmpty else {
            seqs.append(lastSeq)
            ends.append(before + Int32(kept.count { $0 }))
            return
        }
        var position = 0
        var count = before
        for (seq, end) in zip(parts.seqs, parts.ends) {
            while position < min(Int(end), kept.count) {
                if kept[position] { count += 1 }
                position += 1
            }
            seqs.append(seq)
            ends.append(count)
        }
    }
}

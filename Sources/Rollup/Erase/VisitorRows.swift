import Core

/// A visitor's rows of a batch: those with the id as `visitorId`, or as `sessionId` where they have no `visitorId`.
struct VisitorRows {
    /// Ascending.
    let rows: [Int]

    init(of visitor: ExactText, in batch: BeaconBatch) {
        let visitors = batch[.visitorId]
        let sessions = batch[.sessionId]
        guard let visitorCode = visitors.code(of: visitor) else {
            guard let sessionCode = sessions.code(of: visitor) else {
                rows = []
                return
            }
            rows = (0..<batch.count).filter { visitors.codes[$0] == 0 && sessions.codes[$0] == sessionCode }
            return
        }
        let sessionCode = sessions.code(of: visitor)
        rows = (0..<batch.count).filter {
            visitors.codes[$0] == visitorCode || visitors.codes[$0] == 0 && sessions.codes[$0] == sessionCode
        }
    }

    /// Positions in what is left, of those positions in the batch that are left.
    func remap(_ positions: [Int32]) -> [Int32] {
        var remapped: [Int32] = []
        var removed = 0
        for position in positions {
            while removed < rows.count, rows[removed] < Int(position) { removed += 1 }
            if removed < rows.count, rows[removed] == Int(position) { continue }
            remapped.append(position - Int32(removed))
        }
        return remapped
    }

    /// How many of the first rows are left, for each of `counts`, ascending.
    func left(ofFirst counts: [Int32]) -> [Int32] {
        var removed = 0
        return counts.map { count in
            while removed < rows.count, rows[removed] < Int(count) { removed += 1 }
            return count - Int32(removed)
        }
    }
}

extension TextColumn {
    /// Nil where the column doesn't hold the text.
    fileprivate func code(of text: ExactText) -> UInt32? {
        let wanted = Array(text.string.utf8)
        return (0..<valueCount).first { value($0).elementsEqual(wanted) }.map { UInt32($0 + 1) }
    }
}

extension BeaconBatch {
    /// Which column names the row's visitor: `visitorId`, else `sessionId`, else the salted hash; nil for nobody.
    package func visitorColumn(at row: Int) -> Text? {
        if self[.visitorId].codes[row] != 0 { return .visitorId }
        if self[.sessionId].codes[row] != 0 { return .sessionId }
        if self[.clientHash].codes[row] != 0 { return .clientHash }
        return nil
    }

    /// Murmur3 of the row's visitor, as sketches take it. Hashes anew each time: the fold has its own cache.
    package func visitorHash(at row: Int) -> UInt64? {
        guard let text = visitorColumn(at: row) else { return nil }
        let column = self[text]
        let range = column.range(ofValue: Int(column.codes[row]) - 1)
        return column.bytes.withUnsafeBytes { Murmur3.hash64(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

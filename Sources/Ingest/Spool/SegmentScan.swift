import Storage

/// What reading a whole segment found.
struct SegmentScan: Equatable {
    struct Frame: Equatable {
        var seq: UInt64
        var offset: Int
        /// Header included.
        var bytes: Int
    }

    var frames: [Frame] = []
    /// Where the last good frame ends.
    var end = SpoolSegment.headerBytes
    /// Bytes that are neither a frame nor zeros, before or between good frames: damage, since frames are synced in order.
    var damagedBytes = 0
    /// Where the last byte that is not zero ends, when that is after the last good frame: a write that a crash tore,
    /// never acknowledged.
    var tornEnd: Int?

    /// Reads every frame of `segment`, whose sequence numbers ascend from `firstSeq`.
    ///
    /// After bytes that are no frame it looks for the next good one at every following offset.
    init(_ bytes: UnsafeRawBufferPointer, firstSeq: UInt64) {
        var offset = SpoolSegment.headerBytes
        var nextSeq = firstSeq
        // What was preallocated and never written isn't looked at byte by byte.
        let written = bytes.countWithoutTrailingZeros
        while offset < written {
            if case .frame(let seq, let count) = SpoolFrame.parse(UnsafeRawBufferPointer(rebasing: bytes[offset...])),
                seq >= nextSeq
            {
                frames.append(Frame(seq: seq, offset: offset, bytes: count))
                if offset > end { damagedBytes += offset - end }
                offset += count
                end = offset
                nextSeq = seq + 1
            } else {
                offset = Self.nextCandidate(in: bytes, after: offset, before: written, from: nextSeq)
            }
        }
        if written > end { tornEnd = written }
    }

    /// How far apart two neighbours' numbers may be where frames between them were lost.
    private static let maxSeqGap: UInt64 = 1 << 32

    /// The next offset whose length and sequence number could be a frame's; cheap enough to try at each byte.
    private static func nextCandidate(
        in bytes: UnsafeRawBufferPointer, after offset: Int, before written: Int, from nextSeq: UInt64
    ) -> Int {
        var candidate = offset + 1
        while candidate < written, candidate + SpoolSegment.frameHeaderBytes <= bytes.count {
            let seq = bytes.integer(at: candidate + 8, as: UInt64.self)
            if seq == 0 && bytes.integer(at: candidate, as: UInt64.self) == 0 {
                // Sixteen zeros: a frame's length isn't zero, so none begins in the first twelve.
                candidate += 8
                continue
            }
            if seq >= nextSeq && seq - nextSeq < maxSeqGap && bytes.integer(at: candidate, as: UInt32.self) != 0 {
                return candidate
            }
            candidate += 1
        }
        return bytes.count
    }
}

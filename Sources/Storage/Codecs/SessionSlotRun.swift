package import Core

/// Pieces of sessions of one slot as bytes, some 11 or 12 each (docs/formats.md, "Session slot run").
package enum SessionSlotRun {
    private static let version: UInt8 = 1
    /// No beacon is further from its slot's start than this has bits for.
    private static let offsetBits = 21

    /// `version u8 | sessions | packed firsts | packed lasts | later bits | packed origins | CRC-32C u32`
    ///
    /// - Precondition: the sessions ascend and are distinct, and every piece is of `slot`.
    package static func encode(sorted pieces: [SessionPiece], slot: Int32) -> [UInt8] {
        let start = SessionPiece.start(ofSlot: slot)
        var sessions: [UInt64] = []
        var firsts: [UInt64] = []
        var lengths: [UInt64] = []
        var isLater: [UInt64] = []
        var origins: [UInt64] = []
        sessions.reserveCapacity(pieces.count)
        firsts.reserveCapacity(pieces.count)
        lengths.reserveCapacity(pieces.count)
        isLater.reserveCapacity(pieces.count)
        for piece in pieces {
            precondition(piece.slot == slot && piece.last >= piece.first && piece.origin <= piece.first)
            sessions.append(piece.session)
            firsts.append(UInt64(piece.first - start))
            lengths.append(UInt64(piece.last - piece.first))
            isLater.append(piece.origin < piece.first ? 1 : 0)
            if piece.origin < piece.first { origins.append(UInt64(piece.first - piece.origin)) }
        }
        return SealedRun.seal(version: version, capacity: 32 + pieces.count * 14) { bytes in
            HashSetRun.append(sorted: sessions, to: &bytes)
            PackedIntegers.append(firsts.span, to: &bytes)
            PackedIntegers.append(lengths.span, to: &bytes)
            BitPacking.append(isLater.span, width: 1, to: &bytes)
            PackedIntegers.append(origins.span, to: &bytes)
        }
    }

    /// The pieces, ascending by session.
    package static func decode(_ bytes: UnsafeRawBufferPointer, slot: Int32) throws(SealedRun.Failure) -> [SessionPiece]
    {
        try unsafe SealedRun.open(bytes, version: version) { (reader) throws(CodecDefect) in
            try read(from: &reader, slot: slot)
        }
    }

    package static func decode(_ bytes: [UInt8], slot: Int32) throws(SealedRun.Failure) -> [SessionPiece] {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(SealedRun.Failure) in
            try unsafe decode(UnsafeRawBufferPointer(buffer), slot: slot)
        }
    }

    private static func read(from reader: inout ByteReader, slot: Int32) throws(CodecDefect) -> [SessionPiece] {
        let sessions = try HashSetRun.read(from: &reader)
        let firsts = try PackedIntegers(count: sessions.count, from: &reader, maxWidth: offsetBits).words()
        let lengths = try PackedIntegers(count: sessions.count, from: &reader, maxWidth: offsetBits).words()
        let laterBits = unsafe try reader.take(BitPacking.byteCount(sessions.count, width: 1))
        var laterCount = 0
        for index in laterBits.indices { laterCount += unsafe laterBits[index].nonzeroBitCount }
        guard laterCount <= sessions.count else { throw .outOfRange }
        // As far back as a 64-bit instant can be kept.
        let origins = try PackedIntegers(count: laterCount, from: &reader, maxWidth: 62).words()

        let start = SessionPiece.start(ofSlot: slot)
        var pieces: [SessionPiece] = []
        pieces.reserveCapacity(sessions.count)
        var later = 0
        for index in sessions.indices {
            let first = start + Int64(firsts[index])
            let last = first + Int64(lengths[index])
            guard last < start + SessionPiece.gapMs else { throw .outOfRange }
            var origin = first
            if unsafe laterBits[index >> 3] & 1 << UInt8(index & 7) != 0 {
                guard later < laterCount else { throw .outOfRange }
                origin = first - Int64(origins[later])
                later += 1
            }
            pieces.append(SessionPiece(session: sessions[index], first: first, last: last, origin: origin))
        }
        guard later == laterCount else { throw .outOfRange }
        return pieces
    }
}

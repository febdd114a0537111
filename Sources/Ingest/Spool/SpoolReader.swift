import Core
import Storage

/// Reads durable frames in order, from the first that is not stored.
struct SpoolReader {
    struct Frame {
        var position: Spool.Position
        /// Receipt of its first beacon, milliseconds since 1970. No beacon in it was acknowledged before.
        var receivedAt: Int64
        var beacons: Int
        /// `BeaconRecords`.
        var records: ArraySlice<UInt8>
        /// Numbers before it that are neither stored nor in the spool.
        var missing: Range<UInt64>?
    }

    enum ReadError: Error {
        case damaged(SpoolSegment, offset: Int)
        case disk(DiskError)
    }

    /// One read from the disk; a larger frame is read alone.
    private let chunkBytes: Int

    /// Of the segment that is being read. Names ascend as numbers do, and tell apart those that begin with the same
    /// number: one of them holds nothing.
    private var segmentName = ""
    private var offset = 0
    private var chunk: [UInt8] = []
    private var chunkOffset = 0
    /// Of the segment that is being read.
    private var lastSeq: UInt64 = 0

    /// The last number stored of each identity.
    var stored: [UInt64: UInt64] = [:]
    /// By a segment's name, the last number found in it, 0 for none: of the spool's segments, those that were read to
    /// their end.
    private(set) var lastSeqs: [String: UInt64] = [:]
    private var previous: Spool.Position?

    init(chunkBytes: Int = 4 << 20) {
        self.chunkBytes = chunkBytes
    }

    /// The next durable frame that is not stored; nil where there is none yet.
    mutating func next(in durable: Spool.Durable) throws(ReadError) -> Frame? {
        while true {
            guard let index = durable.segments.firstIndex(where: { $0.name >= segmentName }) else { return nil }
            let segment = durable.segments[index]
            if segment.name != segmentName || offset == 0 { enter(segment) }
            let isLast = index == durable.segments.count - 1
            if offset == SpoolSegment.headerBytes,
                let next = durable.segments[(index + 1)...].first(where: { $0.identity == segment.identity }),
                stored[segment.identity] ?? 0 >= next.firstSeq - 1
            {
                // All of it is stored: a spool of gigabytes isn't read again for that.
                enter(durable.segments[index + 1])
                continue
            }
            guard var frame = try frame(of: segment, before: isLast ? durable.endOffset : Int.max) else {
                if isLast { return nil }
                try checkEnd(of: segment, before: durable.segments[index + 1])
                lastSeqs = lastSeqs.filter { $0.key >= durable.segments[0].name }
                lastSeqs[segment.name] = lastSeq
                enter(durable.segments[index + 1])
                continue
            }
            lastSeq = frame.position.seq
            guard frame.position.seq > stored[segment.identity] ?? 0 else { continue }
            let expected = expectedSeq(of: segment, in: durable)
            if frame.position.seq > expected { frame.missing = expected..<frame.position.seq }
            previous = frame.position
            return frame
        }
    }

    /// The number of the first frame of this identity that was neither returned nor stored.
    private func expectedSeq(of segment: SpoolSegment, in durable: Spool.Durable) -> UInt64 {
        if let previous, previous.identity == segment.identity { return previous.seq + 1 }
        if let stored = stored[segment.identity], stored > 0 { return stored + 1 }
        return durable.segments.first { $0.identity == segment.identity }?.firstSeq ?? segment.firstSeq
    }

    /// Whether `next` would find a frame, or damage; takes nothing.
    func hasMore(in durable: Spool.Durable) -> Bool {
        var copy = self
        do throws(ReadError) { return try copy.next(in: durable) != nil } catch { return true }
    }

    /// Goes back to read from the start what is not stored.
    mutating func rewind() {
        segmentName = ""
        offset = 0
        chunk = []
        lastSeqs = [:]
        previous = nil
    }

    /// Numbers ascend over all segments, so the next one's name says how far this one must reach. Zeros before that took
    /// the place of frames. A segment that was mended ends with its last good frame.
    private func checkEnd(of segment: SpoolSegment, before next: SpoolSegment) throws(ReadError) {
        guard max(lastSeq, segment.firstSeq - 1) < next.firstSeq - 1 else { return }
        let size: Int
        do throws(DiskError) { size = try segment.file.size() } catch { throw .disk(error) }
        if offset < size { throw .damaged(segment, offset: offset) }
    }

    private mutating func enter(_ segment: SpoolSegment) {
        segmentName = segment.name
        offset = SpoolSegment.headerBytes
        chunk = []
        lastSeq = 0
    }

    private mutating func frame(of segment: SpoolSegment, before end: Int) throws(ReadError) -> Frame? {
        guard offset < end else { return nil }
        switch try parse(segment, end: end, atLeast: SpoolSegment.frameHeaderBytes) {
        case .end:
            // The last segment's end is known: zeros before it took the place of frames.
            if end != .max { throw .damaged(segment, offset: offset) }
            return nil
        case .damaged: throw .damaged(segment, offset: offset)
        case .frame(let seq, let bytes):
            let payload = chunk[(offset - chunkOffset + SpoolSegment.frameHeaderBytes)..<(offset - chunkOffset + bytes)]
            offset += bytes
            let (beacons, receivedAt) = payload.withUnsafeBytes { payload in
                (Int(payload.integer(at: 0, as: UInt32.self)), payload.integer(at: 4, as: Int64.self))
            }
            return Frame(
                position: Spool.Position(identity: segment.identity, seq: seq), receivedAt: receivedAt,
                beacons: beacons, records: payload.dropFirst(SpoolFrame.payloadHeaderBytes))
        }
    }

    /// Parses at `offset`, reading more where the chunk ends within a frame.
    private mutating func parse(
        _ segment: SpoolSegment, end: Int, atLeast count: Int
    ) throws(ReadError) -> SpoolFrame.Parsed {
        if offset + count > chunkOffset + chunk.count || offset < chunkOffset || chunk.isEmpty {
            do throws(DiskError) {
                chunk = try segment.file.read(min(max(chunkBytes, count), end - offset), at: offset)
            } catch {
                throw .disk(error)
            }
            chunkOffset = offset
        }
        let (parsed, wanted) = chunk.withUnsafeBytes { chunk -> (SpoolFrame.Parsed, Int) in
            let bytes = UnsafeRawBufferPointer(rebasing: chunk[(offset - chunkOffset)...])
            guard bytes.count >= SpoolSegment.frameHeaderBytes else { return (SpoolFrame.parse(bytes), 0) }
            let length = Int(bytes.integer(at: 0, as: UInt32.self))
            return (SpoolFrame.parse(bytes), SpoolSegment.frameHeaderBytes + length)
        }
        let atEndOfFile = chunk.count < min(max(chunkBytes, count), end - chunkOffset)
        if parsed == .damaged, wanted > count, offset + wanted > chunkOffset + chunk.count, !atEndOfFile,
            wanted <= SpoolFrame.maxPayloadBytes + SpoolSegment.frameHeaderBytes, offset + wanted <= end
        {
            return try parse(segment, end: end, atLeast: wanted)
        }
        return parsed
    }
}

import Core
import Logging
import Storage

/// The spool's files: recovery, appending, rotation, removal. One thread at a time; `Spool` gives it a queue.
///
/// Sequence numbers ascend over all segments. The files alone can't say which numbers Postgres has seen: an older copy
/// may have been put back, the last frame may be damaged and look like a torn write. So whoever opens the spool begins
/// a new life (`SpoolIdentity`) in a segment of its own, and only reads the others: a frame's identity and number name
/// it for ever.
struct SpoolLog {
    enum AppendError: Error {
        /// Nothing was acknowledged. Later attempts may succeed.
        case outOfSpace
        case disk(DiskError)
    }

    let directory: any Directory
    let segmentBytes: Int
    private let zerosAhead: ZerosAhead
    private(set) var segments: [SpoolSegment] = []
    /// Where the last segment's frames end.
    private(set) var endOffset = 0
    /// Whether what comes next begins a new segment. One whose making failed may be on the disk all the same, and says
    /// by its number where the frames before it end: none may follow it elsewhere.
    private var isClosed = false
    /// Where the last segment's blocks end that were written to, be it with zeros.
    private var writtenEnd = 0
    private(set) var nextSeq: UInt64 = 1
    /// Of what this opening appends.
    private(set) var identity: UInt64 = 0
    private let lock: any File

    enum OpenError: Error, CustomStringConvertible {
        case inUse(String)

        var description: String {
            switch self {
            case .inUse(let path): "the spool \(path) is in use by another process"
            }
        }
    }

    /// Opens the spool, mending what a crash or a bad disk left behind.
    ///
    /// - Parameter identify: the identity of this life, given that of the one before.
    init(
        _ directory: any Directory, segmentBytes: Int, zerosAhead: ZerosAhead = ZerosAhead(),
        identify: (UInt64?) -> UInt64 = SpoolIdentity.new(after:), logger: Logger
    ) throws {
        self.directory = directory
        self.segmentBytes = segmentBytes
        self.zerosAhead = zerosAhead
        let existing = try? directory.open("lock", .readWrite)
        lock = try existing ?? directory.open("lock", .create)
        guard lock.tryLock() else { throw OpenError.inUse(directory.path) }
        try recover(identify: identify, logger: logger)
    }

    /// What the spool takes on disk, quarantined segments not counted. Those of earlier lives are cut where their
    /// frames end, and count in full all the same: this bounds the number of files too.
    var bytesOnDisk: Int { segments.count * segmentBytes }

    /// Whether the last segment is one that may be written to.
    private var isWriting: Bool { segments.last?.identity == identity }

    /// No frame of the segment has a higher number; nil where only reading it tells.
    ///
    /// The next segment of the same life says so, and that of another doesn't: after a sync that failed, a crash may
    /// bring back what was removed, and it stands anywhere among the others.
    private func maxSeq(ofSegment index: Int) -> UInt64? {
        let next = segments[(index + 1)...].first { $0.identity == segments[index].identity }
        if let next { return next.firstSeq - 1 }
        return index == segments.count - 1 ? nextSeq - 1 : nil
    }

    // MARK: Appending

    /// Writes one frame behind the last; durable after `synchronize()`, without which none may follow. `frame` has room
    /// for the header in front.
    mutating func append(_ frame: inout [UInt8]) throws(AppendError) -> UInt64 {
        do throws(DiskError) {
            if isClosed || !isWriting || endOffset + frame.count > segmentBytes { try begin() }
        } catch {
            throw error.isOutOfSpace ? .outOfSpace : .disk(error)
        }
        let seq = nextSeq
        SpoolFrame.seal(&frame, seq: seq)
        try write(frame, to: segments[segments.count - 1].file)
        endOffset += frame.count
        nextSeq += 1
        if frame.count <= zerosAhead.maxFrameBytes { try writeZerosAhead() }
        return seq
    }

    struct ZerosAhead {
        /// Zeros are written this far ahead of small frames, before the sync that makes the frame durable.
        var bytes = 512 << 10
        /// A larger frame gains too little.
        var maxFrameBytes = 32 << 10
    }

    /// The first write to a reserved block changes what the filesystem knows of it, so that a sync takes a second write,
    /// to its journal, and nearly twice as long. Zeros take that once for many frames, and the file reads as before.
    private mutating func writeZerosAhead() throws(AppendError) {
        guard endOffset > writtenEnd else { return }
        let file = segments[segments.count - 1].file
        let count = min(zerosAhead.bytes, segmentBytes - endOffset)
        do throws(DiskError) {
            if count > 0 { try file.write([UInt8](repeating: 0, count: count), at: endOffset) }
            writtenEnd = endOffset + count
        } catch {
            // A volume that copies on write may be full: the next frame finds out.
            guard error.isOutOfSpace else { throw .disk(error) }
        }
    }

    private func write(_ frame: [UInt8], to file: any File) throws(AppendError) {
        do throws(DiskError) {
            try file.write(frame, at: endOffset)
        } catch {
            guard error.isOutOfSpace else { throw .disk(error) }
            // A volume that copies on write may be full although the blocks are ours. What was written of the frame
            // goes, so that it can't stand behind a shorter one.
            do throws(DiskError) {
                try file.truncate(to: endOffset)
                try file.synchronize()
            } catch {
                throw .disk(error)
            }
            throw .outOfSpace
        }
    }

    func synchronize() throws(DiskError) {
        try segments[segments.count - 1].file.synchronizeData()
    }

    /// Goes on in a new segment.
    private mutating func begin() throws(DiskError) {
        isClosed = true
        segments.append(
            try SpoolSegment.create(in: directory, identity: identity, firstSeq: nextSeq, bytes: segmentBytes))
        endOffset = SpoolSegment.headerBytes
        writtenEnd = endOffset
        isClosed = false
    }

    /// Removes the oldest segments whose every frame is stored; never the one that is written to. One that can't be
    /// removed stays, and the others go.
    ///
    /// - Parameters:
    ///   - lastSeqs: by a segment's name, the last number that reading found in it, 0 for none, where that is known.
    ///     Frames behind it were lost to damage: they never reach Postgres, and the segment would stay for ever.
    ///   - isStored: whether the frame of this identity and number, and so all before it, is in Postgres.
    mutating func removeSegments(
        lastSeqs: [String: UInt64], where isStored: (_ identity: UInt64, _ lastSeq: UInt64) -> Bool
    ) throws(DiskError) {
        let candidates = isWriting ? segments.count - 1 : segments.count
        let stored = (0..<candidates).prefix { index in
            let segment = segments[index]
            let known = [lastSeqs[segment.name], maxSeq(ofSegment: index)].compactMap(\.self).min()
            return known.map { isStored(segment.identity, $0) } ?? false
        }
        var failure: DiskError?
        var removed = 0
        for index in stored {
            CrashPoint.segmentStored.reached()
            do throws(DiskError) { try directory.remove(segments[index - removed].name) } catch {
                guard error.isMissing else {
                    failure = error
                    continue
                }
            }
            CrashPoint.segmentRemoved.reached()
            segments.remove(at: index - removed)
            removed += 1
            // Before the next one goes: a segment that came back without those behind it would seem to lack their
            // frames.
            try directory.synchronize()
        }
        if let failure { throw failure }
    }

    // MARK: Recovery

    static let quarantineSuffix = ".quarantined"
    static let mendedSuffix = ".mended"

    /// Reads the last segment, and the headers of the others: damage in those is for the reader to find.
    private mutating func recover(identify: (UInt64?) -> UInt64, logger: Logger) throws {
        try dropMended()
        var names = try directory.names().filter { name in
            guard name.hasSuffix(SpoolSegment.suffix) else { return false }
            if SpoolSegment.parse(name: name) != nil { return true }
            logger.critical("a file of the spool has a name that is no segment's", metadata: ["file": "\(name)"])
            return false
        }
        if let last = names.last, try SpoolSegment.open(last, in: directory) == nil, try isUnfinished(last) {
            try directory.remove(last)
            try directory.synchronize()
            names.removeLast()
        }
        for name in names {
            if let segment = try SpoolSegment.open(name, in: directory) {
                segments.append(segment)
            } else if let named = SpoolSegment.parse(name: name) {
                _ = try mend(name, identity: named.identity, firstSeq: named.firstSeq, logger: logger)
                if let mended = try SpoolSegment.open(name, in: directory) { segments.append(mended) }
            }
        }
        identity = identify(segments.last?.identity)
        while let last = segments.last {
            let scan = try end(last, logger: logger)
            nextSeq = max(nextSeq, last.firstSeq, (scan.frames.last?.seq ?? 0) + 1)
            endOffset = scan.end
            guard scan.frames.isEmpty else { break }
            // Nothing in it, and nothing will be.
            try directory.remove(last.name)
            try directory.synchronize()
            segments.removeLast()
        }
        do throws(DiskError) { try begin() } catch {
            // What it holds can be shipped all the same, which makes room.
            guard error.isOutOfSpace else { throw error }
            logger.error("the spool's disk is full: refusing beacons", metadata: ["error": "\(error)"])
        }
    }

    /// Makes the last segment end where its frames end.
    private mutating func end(_ segment: SpoolSegment, logger: Logger) throws(DiskError) -> SegmentScan {
        var segment = segment
        var scan = try scan(segment)
        if scan.damagedBytes > 0 {
            _ = try mend(segment, logger: logger)
            if let mended = try SpoolSegment.open(segment.name, in: directory) { segment = mended }
            segments[segments.count - 1] = segment
            scan = try self.scan(segment)
        } else if scan.tornEnd != nil {
            logger.warning(
                """
                the spool ended in a torn write, which was cut off: it was never acknowledged, unless the disk damaged \
                it afterwards
                """,
                metadata: ["segment": "\(segment.name)", "offset": "\(scan.end)"])
        }
        // With the blocks that no frame took.
        try segment.file.truncate(to: scan.end)
        try segment.file.synchronize()
        return scan
    }

    private func scan(_ segment: SpoolSegment) throws(DiskError) -> SegmentScan {
        let bytes = try segment.file.read(try segment.file.size(), at: 0)
        return bytes.withUnsafeBytes { SegmentScan($0, firstSeq: segment.firstSeq) }
    }

    /// Whether a crash interrupted the making of this file: no frame can have been written to it.
    private func isUnfinished(_ name: String) throws(DiskError) -> Bool {
        let file = try directory.open(name, .read)
        let size = try file.size()
        guard size > SpoolSegment.headerBytes else { return true }
        return try file.read(size, at: 0)[SpoolSegment.headerBytes...].allSatisfy { $0 == 0 }
    }

    /// Mends a segment that turned out damaged while the spool was in use.
    ///
    /// - Returns: which numbers were lost.
    mutating func quarantine(_ segment: SpoolSegment, logger: Logger) throws(DiskError) -> LostFrames {
        guard let index = segments.firstIndex(where: { $0.name == segment.name }) else {
            return LostFrames(identity: segment.identity, seqs: 0..<0)
        }
        if isWriting, index == segments.count - 1 { try begin() }
        let end = max(segment.firstSeq, (maxSeq(ofSegment: index) ?? segments[index + 1].firstSeq - 1) + 1)
        let kept = try mend(segment, logger: logger)
        if let mended = try SpoolSegment.open(segment.name, in: directory) { segments[index] = mended }
        if index == segments.count - 1 { endOffset = try segments[index].file.size() }
        return LostFrames(identity: segment.identity, seqs: segment.firstSeq..<end, except: kept)
    }

    /// Keeps the damaged file under another name and puts its good frames into a clean one. Returns their numbers.
    private func mend(_ segment: SpoolSegment, logger: Logger) throws(DiskError) -> Set<UInt64> {
        try mend(segment.name, identity: segment.identity, firstSeq: segment.firstSeq, logger: logger)
    }

    private func mend(
        _ name: String, identity: UInt64, firstSeq: UInt64, logger: Logger
    ) throws(DiskError) -> Set<UInt64> {
        let file = try directory.open(name, .read)
        let bytes = try file.read(try file.size(), at: 0)
        let scan = bytes.withUnsafeBytes { SegmentScan($0, firstSeq: firstSeq) }
        let quarantined = try nextQuarantined(name)
        logger.critical(
            "spool segment damaged: its good frames are kept, the file is quarantined; beacons in between may be lost",
            metadata: [
                "segment": "\(name)", "quarantined": "\(quarantined)",
                "damagedBytes": "\(scan.damagedBytes)", "goodFrames": "\(scan.frames.count)",
            ])
        var clean = SpoolSegment.header(identity: identity, firstSeq: firstSeq)
        for frame in scan.frames { clean += bytes[frame.offset..<(frame.offset + frame.bytes)] }
        let mendedName = name + Self.mendedSuffix
        // What an earlier attempt left behind.
        try? directory.remove(mendedName)
        var isLinked = false
        do throws(DiskError) {
            let mended = try directory.open(mendedName, .create)
            try mended.allocate(clean.count)
            try mended.write(clean, at: 0)
            try mended.synchronize()
            // At no time is the segment without its name: whatever of this a crash or a failed sync keeps, one of the
            // two files has it.
            try directory.link(name, to: quarantined)
            isLinked = true
            // Else a crash could leave the damaged file under no name.
            try directory.synchronize()
            try directory.rename(mendedName, to: name)
        } catch {
            // A rename that failed may have been done: then the damaged file has no other name.
            if (try? directory.names().contains(mendedName)) ?? false {
                try? directory.remove(mendedName)
                if isLinked { try? directory.remove(quarantined) }
            }
            throw error
        }
        try directory.synchronize()
        return Set(scan.frames.map(\.seq))
    }

    /// What a damaged file is kept as: it may be damaged more than once, and the last one has the highest number.
    private func nextQuarantined(_ name: String) throws(DiskError) -> String {
        let last = Self.lastQuarantined(name, in: try directory.names())
        let quarantined = name + Self.quarantineSuffix
        return last.map { "\(quarantined).\($0.number + 1)" } ?? quarantined
    }

    private static func lastQuarantined(_ name: String, in names: [String]) -> (name: String, number: Int)? {
        let quarantined = name + quarantineSuffix
        return names.compactMap { candidate -> (name: String, number: Int)? in
            if candidate == quarantined { return (candidate, 1) }
            guard candidate.hasPrefix(quarantined + "."), let number = Int(candidate.dropFirst(quarantined.count + 1))
            else { return nil }
            return (candidate, number)
        }.max { $0.number < $1.number }
    }

    /// Drops what an interrupted `mend` left: the damaged file has its name still, and is mended anew.
    private func dropMended() throws(DiskError) {
        let names = try directory.names()
        for mendedName in names where mendedName.hasSuffix(Self.mendedSuffix) {
            let name = String(mendedName.dropLast(Self.mendedSuffix.count))
            // An earlier version took the name away first.
            if !names.contains(name), let damaged = Self.lastQuarantined(name, in: names) {
                try directory.link(damaged.name, to: name)
                try directory.synchronize()
            }
            try directory.remove(mendedName)
        }
        try directory.synchronize()
    }
}

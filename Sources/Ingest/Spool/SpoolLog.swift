import Core
import Logging
import Storage

/// The spool's files: recovery, appending, rotation, removal. One thread at a time; `Spool` gives it a queue.
///
/// Sequence numbers ascend over all segments. Together with a segment's identity they name a frame for ever: after
/// damage the numbers that were lost are unknown, so what is written next goes under a new identity, and no number
/// that Postgres has seen can be given out twice.
struct SpoolLog {
    enum AppendError: Error {
        /// Nothing was written. Later attempts may succeed.
        case outOfSpace
        case disk(DiskError)
    }

    let directory: DiskDirectory
    let segmentBytes: Int
    private(set) var segments: [SpoolSegment] = []
    /// The number of each segment's last frame, 0 where it has none. Not one less than the next segment's first: where
    /// frames were lost to damage, that one never reaches Postgres, and the segment would stay for ever.
    private var lastSeqs: [UInt64] = []
    private(set) var writeOffset = 0
    private(set) var nextSeq: UInt64 = 1
    private let lock: DiskFile

    enum OpenError: Error, CustomStringConvertible {
        case inUse(String)

        var description: String {
            switch self {
            case .inUse(let path): "the spool \(path) is in use by another process"
            }
        }
    }

    /// Opens the spool, mending what a crash or a bad disk left behind.
    init(directory path: String, segmentBytes: Int, logger: Logger) throws {
        directory = try DiskDirectory(path)
        self.segmentBytes = segmentBytes
        let lockPath = directory.path(of: "lock")
        let existing = try? DiskFile(lockPath, .readWrite)
        lock = try existing ?? DiskFile(lockPath, .create)
        guard lock.tryLock() else { throw OpenError.inUse(path) }
        try recover(logger: logger)
    }

    /// Bytes that the spool takes on disk, quarantined segments not counted.
    var bytesOnDisk: Int { segments.count * segmentBytes }

    // MARK: Appending

    /// Writes one frame behind the last; durable after `synchronize()`. `frame` has room for the header in front.
    mutating func append(_ frame: inout [UInt8]) throws(AppendError) -> UInt64 {
        do throws(DiskError) {
            if writeOffset + frame.count > segmentBytes { try rotate() }
        } catch {
            throw error.isOutOfSpace ? .outOfSpace : .disk(error)
        }
        let seq = nextSeq
        SpoolFrame.seal(&frame, seq: seq)
        do throws(DiskError) {
            try segments[segments.count - 1].file.write(frame, at: writeOffset)
        } catch {
            throw .disk(error)
        }
        writeOffset += frame.count
        lastSeqs[lastSeqs.count - 1] = seq
        nextSeq += 1
        return seq
    }

    func synchronize() throws(DiskError) {
        try segments[segments.count - 1].file.synchronizeData()
    }

    private mutating func rotate() throws(DiskError) {
        try begin(identity: segments[segments.count - 1].identity)
    }

    /// Goes on in a new segment.
    private mutating func begin(identity: UInt64) throws(DiskError) {
        segments.append(
            try SpoolSegment.create(in: directory, identity: identity, firstSeq: nextSeq, bytes: segmentBytes))
        lastSeqs.append(0)
        writeOffset = SpoolSegment.headerBytes
    }

    /// Removes the oldest segments whose every frame is stored; never the one that is written to.
    ///
    /// - Parameter isStored: whether the frame of this identity and number, and so all before it, is in Postgres.
    mutating func removeSegments(where isStored: (_ identity: UInt64, _ lastSeq: UInt64) -> Bool) throws(DiskError) {
        var removed = 0
        while removed + 1 < segments.count, isStored(segments[removed].identity, lastSeqs[removed]) {
            try directory.remove(segments[removed].name)
            removed += 1
        }
        guard removed > 0 else { return }
        segments.removeFirst(removed)
        lastSeqs.removeFirst(removed)
        try directory.synchronize()
    }

    // MARK: Recovery

    static let quarantineSuffix = ".quarantined"
    private static let mendedSuffix = ".mended"

    private mutating func recover(logger: Logger) throws {
        try finishMending()
        let names = try directory.names().filter { $0.hasSuffix(SpoolSegment.suffix) }
        var damaged = false
        for (index, name) in names.enumerated() {
            let isLast = index == names.count - 1
            guard let segment = try SpoolSegment.open(name, in: directory) else {
                if isLast, try isUnfinished(name) {
                    try directory.remove(name)
                    try directory.synchronize()
                    continue
                }
                let last = try mend(name, identity: nil, logger: logger)
                nextSeq = max(nextSeq, last + 1, UInt64(name.dropLast(SpoolSegment.suffix.count)) ?? 1)
                damaged = true
                if let mended = try SpoolSegment.open(name, in: directory) { add(mended, lastSeq: last) }
                continue
            }
            let scan = try scan(segment)
            nextSeq = max(nextSeq, segment.firstSeq, (scan.frames.last?.seq ?? 0) + 1)
            if scan.damagedBytes > 0 || (scan.tornEnd != nil && !isLast) {
                let last = try mend(name, identity: segment.identity, logger: logger)
                damaged = true
                if let mended = try SpoolSegment.open(name, in: directory) { add(mended, lastSeq: last) }
            } else {
                if let tornEnd = scan.tornEnd {
                    logger.warning(
                        "a torn write at the end of the spool was cut off; it was never acknowledged",
                        metadata: ["segment": "\(name)", "offset": "\(scan.end)"])
                    try erase(scan.end..<tornEnd, of: segment)
                }
                add(segment, lastSeq: scan.frames.last?.seq ?? 0)
                writeOffset = scan.end
            }
        }
        if segments.isEmpty || damaged || writeOffset == 0 {
            // A new identity: see the type's comment. The gap keeps names unique even if lost numbers were high.
            if damaged { nextSeq += 1 << 20 }
            try begin(identity: UInt64.random(in: 1...UInt64.max))
        }
    }

    private mutating func add(_ segment: SpoolSegment, lastSeq: UInt64) {
        segments.append(segment)
        lastSeqs.append(lastSeq)
    }

    private func scan(_ segment: SpoolSegment) throws(DiskError) -> SegmentScan {
        let bytes = try segment.file.read(try segment.file.size(), at: 0)
        return bytes.withUnsafeBytes { SegmentScan($0, firstSeq: segment.firstSeq) }
    }

    /// Whether a crash interrupted the making of this file: no frame can have been written to it.
    private func isUnfinished(_ name: String) throws(DiskError) -> Bool {
        let file = try DiskFile(directory.path(of: name), .read)
        let size = try file.size()
        guard size > SpoolSegment.headerBytes else { return true }
        return try file.read(size, at: 0)[SpoolSegment.headerBytes...].allSatisfy { $0 == 0 }
    }

    /// Writes zeros, so that stale bytes can't follow a later, shorter frame.
    private func erase(_ range: Range<Int>, of segment: SpoolSegment) throws(DiskError) {
        try segment.file.write([UInt8](repeating: 0, count: range.count), at: range.lowerBound)
        try segment.file.synchronize()
    }

    /// Mends a segment that turned out damaged while the spool was in use.
    mutating func quarantine(_ segment: SpoolSegment, logger: Logger) throws(DiskError) {
        guard let index = segments.firstIndex(where: { $0.firstSeq == segment.firstSeq }) else { return }
        if index == segments.count - 1 { try begin(identity: UInt64.random(in: 1...UInt64.max)) }
        lastSeqs[index] = try mend(segment.name, identity: segment.identity, logger: logger)
        if let mended = try SpoolSegment.open(segment.name, in: directory) { segments[index] = mended }
    }

    /// Keeps the damaged file under another name and puts its good frames into a clean one. Returns the number of the
    /// last of them, 0 where there is none.
    private func mend(_ name: String, identity: UInt64?, logger: Logger) throws(DiskError) -> UInt64 {
        let file = try DiskFile(directory.path(of: name), .read)
        let bytes = try file.read(try file.size(), at: 0)
        let firstSeq = UInt64(name.dropLast(SpoolSegment.suffix.count)) ?? 1
        let scan = bytes.withUnsafeBytes { SegmentScan($0, firstSeq: firstSeq) }
        logger.critical(
            "spool segment damaged: its good frames are kept, the file is quarantined; beacons in between may be lost",
            metadata: [
                "segment": "\(name)", "quarantined": "\(name)\(Self.quarantineSuffix)",
                "damagedBytes": "\(scan.damagedBytes)", "goodFrames": "\(scan.frames.count)",
            ])
        // Where the header is lost, so is the identity: the frames get one of their own and are stored as new ones.
        // Those that were stored already are repeats, which count once by their messageId.
        var clean = SpoolSegment.header(identity: identity ?? UInt64.random(in: 1...UInt64.max), firstSeq: firstSeq)
        for frame in scan.frames { clean += bytes[frame.offset..<(frame.offset + frame.bytes)] }
        let mendedName = name + Self.mendedSuffix
        try? directory.remove(mendedName)
        let mended = try DiskFile(directory.path(of: mendedName), .create)
        try mended.allocate(max(segmentBytes, clean.count))
        try mended.write(clean, at: 0)
        try mended.synchronize()
        try directory.rename(name, to: name + Self.quarantineSuffix)
        try directory.rename(mendedName, to: name)
        try directory.synchronize()
        return scan.frames.last?.seq ?? 0
    }

    /// Completes or undoes a `mend` that a crash interrupted.
    private func finishMending() throws(DiskError) {
        let names = Set(try directory.names())
        for mendedName in names where mendedName.hasSuffix(Self.mendedSuffix) {
            let name = String(mendedName.dropLast(Self.mendedSuffix.count))
            if names.contains(name) {
                try directory.remove(mendedName)
            } else {
                try directory.rename(mendedName, to: name)
            }
        }
        try directory.synchronize()
    }
}

import Storage
import TestSupport

@testable import Ingest

/// What a process does with its spool. Each step says whether the process goes on after it.
extension SpoolSchedule {
    mutating func append(_ process: inout Process) -> Bool {
        let position = Spool.Position(identity: process.log.identity, seq: process.log.nextSeq)
        var (number, frame) = ledger.offer(at: position, bytes: frameBytes(process.log))
        do throws(SpoolLog.AppendError) {
            _ = try process.log.append(&frame)
            do throws(DiskError) { try process.log.synchronize() } catch { throw .disk(error) }
            ledger.acknowledge(number)
            SimulatedDisk.trace("  acknowledged \(number) of \(frame.count) bytes as \(position.seq)")
            process.durable = Spool.Durable(process.log)
            return true
        } catch {
            if case .outOfSpace = error { return true }
            return false
        }
    }

    /// Around what may go wrong: the ends of sectors and segments, and where zeros are no longer written ahead.
    private mutating func frameBytes(_ log: SpoolLog) -> Int {
        let least = SpoolSegment.frameHeaderBytes + SpoolFrame.payloadHeaderBytes
        let most = segmentBytes - SpoolSegment.headerBytes
        let edge = Int.random(in: -1...1, using: &random)
        let bytes =
            switch Int.random(in: 0..<9, using: &random) {
            case 0: least
            case 1: segmentBytes - log.endOffset + edge
            case 2:
                SimulatedContent.sectorBytes - log.endOffset % SimulatedContent.sectorBytes + edge
            case 3: zerosAhead.maxFrameBytes + edge
            case 4: Int.random(in: least...most, using: &random)
            default: Int.random(in: least...200, using: &random)
            }
        return min(max(bytes, least), most)
    }

    /// Reads a few frames and stores them, as the shipper does.
    mutating func ship(_ process: inout Process) throws -> Bool {
        var numbers: [Int] = []
        for _ in 0..<[1, 2, 4, 100].randomElement(using: &random)! {
            let frame: SpoolReader.Frame?
            do throws(SpoolReader.ReadError) { frame = try process.reader.next(in: process.durable) } catch {
                try recover(from: error, &process)
                return true
            }
            guard let frame else { break }
            numbers.append(try check(frame))
        }
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            // It could not be stored.
            process.reader.rewind()
            return true
        }
        for number in numbers { ledger.store([number]) }
        process.reader.stored = ledger.positions
        SimulatedDisk.trace("  stored \(numbers)")
        return true
    }

    /// Lets the segments go that are stored.
    mutating func release(_ process: inout Process) -> Bool {
        let positions = ledger.positions
        // What fails stays.
        try? process.log.removeSegments(lastSeqs: process.reader.lastSeqs) { $1 <= positions[$0] ?? 0 }
        process.durable = Spool.Durable(process.log)
        return true
    }

    /// As the shipper does it.
    private mutating func recover(from error: SpoolReader.ReadError, _ process: inout Process) throws {
        if case .damaged(let segment, let offset) = error {
            guard !isUndamaged else {
                throw Violation(description: "\(segment.name) was found damaged at \(offset)")
            }
            if (try? process.log.quarantine(segment, logger: silentLogger)) != nil {
                try ledger.check(names: disk.names, mayForget: disk.hasFailedSynchronizing)
            }
            process.durable = Spool.Durable(process.log)
        }
        process.reader.rewind()
    }

    private func check(_ frame: SpoolReader.Frame) throws -> Int {
        if let missing = frame.missing, isUndamaged {
            throw Violation(description: "numbers \(missing) are missing before \(frame.position)")
        }
        return try ledger.check(frame)
    }

    /// Reads the whole spool: nothing acknowledged is lost, and after a mere crash nothing looks damaged.
    mutating func checkAll(_ process: inout Process) throws {
        process.reader = SpoolReader(chunkBytes: 700)
        process.reader.stored = ledger.positions
        var numbers: [Int] = []
        var rounds = 0
        while true {
            let frame: SpoolReader.Frame?
            do throws(SpoolReader.ReadError) { frame = try process.reader.next(in: process.durable) } catch {
                rounds += 1
                guard rounds < 100 else { throw Violation(description: "reading doesn't come to an end: \(error)") }
                numbers = []
                try recover(from: error, &process)
                continue
            }
            guard let frame else { break }
            numbers.append(try check(frame))
        }
        if isUndamaged, let name = disk.names.first(where: { $0.contains(SpoolLog.quarantineSuffix) }) {
            throw Violation(description: "\(name) was quarantined")
        }
        try ledger.check(names: disk.names, mayForget: disk.hasFailedSynchronizing)
        SimulatedDisk.trace("  found \(numbers)")
        try ledger.check(read: numbers, mayForget: disk.hasFailedSynchronizing)
    }

    /// Flips a bit of a segment, as one of a dead disk's sectors would.
    mutating func damage() {
        let names = disk.names.filter { $0.hasSuffix(SpoolSegment.suffix) }
        guard let name = names.randomElement(using: &random), let named = SpoolSegment.parse(name: name) else { return }
        let bytes = disk.bytes(of: name)
        let scan = bytes.withUnsafeBytes { SegmentScan($0, firstSeq: named.firstSeq) }
        let end = min(bytes.count, scan.end + 40)
        guard end > 0 else { return }
        let bit = Int.random(in: 0..<(end * 8), using: &random)
        guard disk.flip(bit: bit, of: name) else { return }
        tally.flippedBits += 1
        SimulatedDisk.trace("DAMAGED \(name) at \(bit / 8)")
        for frame in scan.frames where (frame.offset..<(frame.offset + frame.bytes)).contains(bit / 8) {
            let receivedAt = bytes.withUnsafeBytes {
                $0.integer(at: frame.offset + SpoolSegment.frameHeaderBytes + 4, as: Int64.self)
            }
            ledger.damage(Int(receivedAt))
        }
    }
}

import Storage
import TestSupport
import Testing

@testable import Ingest

/// A damaged segment is mended while things go wrong, again at the next opening, and power goes at last: no frame is
/// lost but the damaged one, and the damaged file is kept.
@Suite struct SpoolMendingTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func aMendingThatIsInterruptedLosesNoGoodFrame(seed: UInt64) throws {
        let kinds: [SimulatedFault.Kind] = [.powerCut, .kill, .inputOutput, .synchronize, .noSpace]
        for kind in kinds {
            for after in 0..<16 {
                for atOpening in 0..<4 {
                    try mend(seed: seed, kind, after: after, failingAtOpening: atOpening)
                }
            }
        }
    }

    private func mend(
        seed: UInt64, _ kind: SimulatedFault.Kind, after: Int, failingAtOpening: Int
    ) throws {
        let disk = SimulatedDisk(seed: seed)
        var ledger = SpoolLedger()
        func open(_ identity: UInt64) throws -> SpoolLog {
            try SpoolLog(disk.mount(), segmentBytes: 1024, identify: { _ in identity }, logger: silentLogger)
        }
        var log = try open(1)
        for _ in 0..<3 {
            var (number, frame) = ledger.offer(
                at: Spool.Position(identity: log.identity, seq: log.nextSeq), bytes: 60)
            _ = try log.append(&frame)
            try log.synchronize()
            ledger.acknowledge(number)
        }
        log = try open(2)
        let segment = log.segments[0]
        let damaged = try SegmentScan(of: segment).frames[1]
        try #require(disk.flip(bit: (damaged.offset + 30) * 8, of: segment.name))
        ledger.damage(1)
        let original = disk.bytes(of: segment.name)

        disk.setFaults([SimulatedFault(kind: kind, after: after, count: 1)])
        _ = try? log.quarantine(segment, logger: silentLogger)
        let directory = disk.mount()
        disk.setFaults([SimulatedFault(kind: .synchronize, after: failingAtOpening, count: 1)])
        _ = try? SpoolLog(directory, segmentBytes: 1024, identify: { _ in 3 }, logger: silentLogger)
        disk.losePower()

        log = try open(4)
        var read = try numbers(in: log, ledger)
        if read == nil {
            _ = try log.quarantine(log.segments[0], logger: silentLogger)
            read = try numbers(in: log, ledger)
        }
        #expect(read == [0, 2], "\(kind) after \(after), sync \(failingAtOpening) failing: \(disk.names)")
        let kept = disk.names.filter { $0.contains(SpoolLog.quarantineSuffix) }
        #expect(kept.contains { disk.bytes(of: $0) == original }, "\(kind) after \(after), \(kept)")
        #expect(kept.count <= 3)
        #expect(!disk.names.contains { $0.hasSuffix(SpoolLog.mendedSuffix) })
    }

    /// Each attempt takes back what it made: the disk may be full for hours, and is tried each second. Up to the call that
    /// gives the damaged file its second name.
    @Test(arguments: 0..<10) func aMendingThatFailsAgainAndAgainLeavesNothing(after: Int) throws {
        let disk = SimulatedDisk(seed: 1)
        var log = try SpoolLog(disk.mount(), segmentBytes: 1024, identify: { _ in 1 }, logger: silentLogger)
        for _ in 0..<3 {
            var frame = [UInt8](repeating: 7, count: 60)
            _ = try log.append(&frame)
            try log.synchronize()
        }
        log = try SpoolLog(disk.mount(), segmentBytes: 1024, identify: { _ in 2 }, logger: silentLogger)
        let segment = log.segments[0]
        try #require(disk.flip(bit: 500, of: segment.name))
        let names = disk.names
        for _ in 0..<5 {
            disk.setFaults([SimulatedFault(kind: .noSpace, after: after, count: 1)])
            #expect(throws: DiskError.self) { try log.quarantine(segment, logger: silentLogger) }
            #expect(disk.names == names)
        }
    }

    /// An earlier version took the damaged file's name away before the clean one had it.
    @Test func whatAnEarlierVersionLeftInTheMiddleIsReadAgain() throws {
        let disk = SimulatedDisk(seed: 1)
        func open(_ identity: UInt64) throws -> SpoolLog {
            try SpoolLog(disk.mount(), segmentBytes: 1024, identify: { _ in identity }, logger: silentLogger)
        }
        var log = try open(1)
        var ledger = SpoolLedger()
        for _ in 0..<3 {
            var (number, frame) = ledger.offer(at: .init(identity: log.identity, seq: log.nextSeq), bytes: 60)
            _ = try log.append(&frame)
            try log.synchronize()
            ledger.acknowledge(number)
        }
        let name = log.segments[0].name
        let directory = disk.mount()
        _ = try directory.open(name + SpoolLog.mendedSuffix, .create)
        try directory.rename(name, to: name + SpoolLog.quarantineSuffix)
        #expect(try numbers(in: open(2), ledger) == [0, 1, 2])
        #expect(disk.names.contains(name + SpoolLog.quarantineSuffix))
    }

    /// Nil where one of them is damaged.
    private func numbers(in log: SpoolLog, _ ledger: SpoolLedger) throws -> [Int]? {
        var reader = SpoolReader()
        var numbers: [Int] = []
        do throws(SpoolReader.ReadError) {
            while let frame = try reader.next(in: Spool.Durable(log)) {
                guard let number = try? ledger.check(frame) else { return nil }
                numbers.append(number)
            }
        } catch {
            return nil
        }
        return numbers
    }
}

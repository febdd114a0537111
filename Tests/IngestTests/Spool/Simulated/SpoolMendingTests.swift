import Storage
import TestSupport
import Testing

@testable import Ingest

/// A damaged segment is mended while things go wrong, again at the next opening, and power goes at last: no frame is
/// lost but the damaged one.
@Suite struct SpoolMendingTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func aMendingThatIsInterruptedLosesNoGoodFrame(seed: UInt64) throws {
        let kinds: [SimulatedFault.Kind] = [.powerCut, .kill, .inputOutput, .synchronize, .noSpace]
        for kind in kinds {
            for after in 0..<12 {
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

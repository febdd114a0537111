import Storage
import TestSupport
import Testing

@testable import Ingest

/// A rotation that fails leaves a file behind, or not, and the process may go on.
@Suite struct SpoolRotationTests {
    /// The file's number says where the frames of the segment before it end. Were one written there all the same, it
    /// would seem to be stored.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func whatFollowsAFailedRotationIsNotTakenForStored(seed: UInt64) throws {
        let disk = SimulatedDisk(seed: seed)
        var ledger = SpoolLedger()
        func open(_ identity: UInt64) throws -> SpoolLog {
            try SpoolLog(disk.mount(), segmentBytes: 400, identify: { _ in identity }, logger: silentLogger)
        }
        func append(_ bytes: Int, to log: inout SpoolLog) throws {
            var (number, frame) = ledger.offer(
                at: Spool.Position(identity: log.identity, seq: log.nextSeq), bytes: bytes)
            _ = try log.append(&frame)
            try log.synchronize()
            ledger.acknowledge(number)
        }
        var log = try open(1)
        try append(60, to: &log)
        try append(60, to: &log)
        ledger.store([0, 1])
        // The call before looks for what an earlier attempt left.
        disk.setFaults([SimulatedFault(kind: .inputOutput, after: 1, count: 1)])
        #expect(throws: DiskError.self) { try log.quarantine(log.segments[0], logger: silentLogger) }
        try append(40, to: &log)
        try append(368, to: &log)

        log = try open(2)
        var reader = SpoolReader()
        reader.stored = ledger.positions
        var numbers: [Int] = []
        while let frame = try reader.next(in: Spool.Durable(log)) { numbers.append(try ledger.check(frame)) }
        #expect(numbers == [2, 3])
    }
}

import Foundation
import Logging
import Storage
import TestSupport

@testable import Ingest

/// A random sequence of several processes' use of one spool, with what goes wrong in between, told by a seed.
///
/// Checks after each restart what the spool promises.
struct SpoolSchedule {
    typealias Violation = SpoolLedger.Violation

    /// What a run did, to be summed up over many.
    struct Tally {
        var lives = 0
        var offered = 0
        var acknowledged = 0
        var stored = 0
        var powerLosses = 0
        var kills = 0
        var flippedBits = 0
        var quarantined = 0
        var struck: [SimulatedFault.Kind: Int] = [:]
    }

    let disk: SimulatedDisk
    var random: SeededGenerator
    let segmentBytes: Int
    let zerosAhead: SpoolLog.ZerosAhead
    let isDamaging: Bool
    var ledger = SpoolLedger()
    var tally = Tally()

    init(seed: UInt64) {
        disk = SimulatedDisk(seed: seed)
        random = SeededGenerator(exactly: ~seed)
        segmentBytes = [600, 1024, 1500, 2048, 4096].randomElement(using: &random)!
        zerosAhead = SpoolLog.ZerosAhead(
            bytes: [100, 512, 1000, 8192].randomElement(using: &random)!,
            maxFrameBytes: [60, 500, 4096].randomElement(using: &random)!)
        isDamaging = Int.random(in: 0..<5, using: &random) == 0
    }

    mutating func run() throws -> Tally {
        let lives = Int.random(in: 2...8, using: &random)
        for _ in 0..<lives {
            try live()
            endLife()
            if isDamaging { damage() }
        }
        guard let log = try open(disk.mount(), mayFail: false) else { return tally }
        var process = Process(log)
        try checkAll(&process)
        tally.offered = ledger.offers.count
        tally.acknowledged = ledger.acknowledged.count
        tally.stored = ledger.stored.count
        tally.quarantined = disk.names.count { $0.contains(SpoolLog.quarantineSuffix) }
        tally.struck = disk.struck
        return tally
    }

    /// Whether nothing happened to the disk but that power, space or a process went, or that a call failed which the
    /// process does not survive: then nothing may look damaged.
    var isUndamaged: Bool { tally.flippedBits == 0 && !disk.hasFailedSynchronizing && !disk.hasFailedRemoving }

    // MARK: A life

    struct Process {
        var log: SpoolLog
        var reader: SpoolReader
        var durable: Spool.Durable

        init(_ log: SpoolLog) {
            durable = Spool.Durable(log)
            self.log = log
            reader = SpoolReader(chunkBytes: 700)
        }
    }

    private mutating func live() throws {
        tally.lives += 1
        SimulatedDisk.trace("LIFE \(tally.lives), positions \(ledger.positions), files \(disk.names)")
        let directory = disk.mount()
        disk.setFaults(faults(within: [10, 20, 100]))
        guard let log = try open(directory, mayFail: true) else { return }
        try ledger.check(names: disk.names, mayForget: disk.hasFailedSynchronizing)
        var process = Process(log)
        // Where there may be damage, half of it is left to find while things go wrong.
        if !disk.isDown, isUndamaged || Bool.random(using: &random) {
            try disk.withoutFaults { try checkAll(&process) }
        }
        process.reader = SpoolReader(chunkBytes: 700)
        process.reader.stored = ledger.positions
        for _ in 0..<Int.random(in: 0...20, using: &random) where !disk.isDown {
            SimulatedDisk.trace("  step, next \(process.log.nextSeq) at \(process.log.endOffset)")
            if Int.random(in: 0..<25, using: &random) == 0 { disk.setFaults(faults(within: [3, 8])) }
            let goesOn =
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<6: append(&process)
                case 6..<8: try ship(&process)
                default: release(&process)
                }
            guard goesOn else { return }
            if isDamaging, Int.random(in: 0..<20, using: &random) == 0 { damage() }
        }
    }

    /// Often one soon after another: what goes wrong while something else is being put right.
    private mutating func faults(within calls: [Int]) -> [SimulatedFault] {
        var after = 0
        return (0..<[0, 1, 1, 2, 3].randomElement(using: &random)!).map { _ in
            after += Int.random(in: 0..<calls.randomElement(using: &random)!, using: &random)
            return SimulatedFault(
                kind: SimulatedFault.Kind.allCases.randomElement(using: &random)!, after: after,
                count: [1, 1, 2, 5].randomElement(using: &random)!)
        }
    }

    /// Opening fails only where the disk does.
    private mutating func open(_ directory: SimulatedDirectory, mayFail: Bool) throws -> SpoolLog? {
        let before = disk.struck
        do {
            var identities = random
            defer { random = identities }
            return try SpoolLog(
                directory, segmentBytes: segmentBytes, zerosAhead: zerosAhead,
                identify: { last in ((last ?? 0) >> 48) << 48 | UInt64.random(in: 1..<(1 << 48), using: &identities) },
                logger: silentLogger)
        } catch {
            guard mayFail, disk.struck != before else {
                throw Violation(description: "opening failed by itself: \(error)")
            }
            return nil
        }
    }

    private mutating func endLife() {
        if Bool.random(using: &random) {
            tally.powerLosses += 1
            disk.losePower()
        } else {
            tally.kills += 1
        }
    }
}

import Core
package import Logging
import Platform
package import Storage
import Synchronization

/// Moves the spool into Postgres, one batch at a time and in order, and the views of each batch into Redis.
///
/// Postgres itself remembers how far: a batch is stored only where the position is the one this shipper expects, in
/// the transaction that moves it. So a batch whose commit was lost from sight is either found stored or sent again,
/// however it is cut then.
package final class Shipper: Sendable {
    private let spool: Spool
    private let nodeId: String
    private let pool: PostgresPool
    private let counters: Counters?
    private let metrics: ShipMetrics
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    /// Ring the bell and the loop looks at the spool.
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    private let isDraining = Mutex(false)

    /// Between two attempts while Postgres is away; doubles from the first to the last.
    static let retryMs: ClosedRange<Int64> = 50...2000
    /// How often the loop looks without being rung, and says how far it is.
    static let tickMs: Int64 = 50
    static let heartbeatMs: Int64 = 1000

    package init(
        spool: Spool, nodeId: String, pool: PostgresPool, counters: Counters?, metrics: ShipMetrics,
        clock: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.spool = spool
        self.nodeId = nodeId
        self.pool = pool
        self.counters = counters
        self.metrics = metrics
        self.clock = clock
        self.logger = logger
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        spool.onCommit { [ring] in ring.yield() }
    }

    /// The node's name in Postgres for one life of its spool directory.
    static func node(_ nodeId: String, identity: UInt64) -> String {
        let hex = String(identity, radix: 16)
        return nodeId + "/" + String(repeating: "0", count: 16 - hex.count) + hex
    }

    private func node(_ identity: UInt64) -> String { Self.node(nodeId, identity: identity) }

    /// Ends the loop once everything in the spool is stored. The spool must refuse new beacons by then.
    package func beginDraining() {
        isDraining.withLock { $0 = true }
        ring.yield()
    }

    /// Ships until drained or cancelled. Never throws: what fails is tried again.
    package func run() async {
        let ticker = Task { [ring] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(Self.tickMs))
                ring.yield()
            }
        }
        defer { ticker.cancel() }
        var reader = SpoolReader()
        var cutter = BatchCutter()
        var held: SpoolReader.Frame?
        guard await register(&reader) else { return }
        var lives = Set(spool.durable.segments.map(\.identity))
        var lastHeartbeat: Int64 = 0
        for await _ in bell {
            if Task.isCancelled { return }
            do {
                while !Task.isCancelled {
                    let lookedAt = clock()
                    let durable = spool.durable
                    // Damage began another life: known to Postgres before its first batch, so that answers wait for it.
                    if lives.insert(durable.segments[durable.segments.count - 1].identity).inserted,
                        await !register(&reader)
                    {
                        return
                    }
                    let drained = try fill(&cutter, from: &reader, held: &held, durable: durable)
                    if cutter.isEmpty {
                        if lookedAt - lastHeartbeat >= Self.heartbeatMs {
                            lastHeartbeat = lookedAt
                            await heartbeat(shippedThrough: lookedAt, lives: lives)
                        }
                        break
                    }
                    let draining = isDraining.withLock { $0 }
                    guard !drained || cutter.isDue(at: lookedAt) || draining || spool.hasStoredWaiters else { break }
                    // What stays unshipped was received after this, so acknowledged after it too.
                    let shippedThrough = held?.receivedAt ?? (drained ? lookedAt : cutter.receivedAt)
                    guard await ship(cutter.cut(), shippedThrough: shippedThrough, reader: &reader) else {
                        // The position was another: read again from there.
                        held = nil
                        cutter = BatchCutter()
                        reader.rewind()
                        continue
                    }
                }
            } catch {
                await recover(from: error, reader: &reader)
                held = nil
                cutter = BatchCutter()
                reader.rewind()
            }
            // Quiet first: what was committed before that is in the durable part looked at after it.
            if isDraining.withLock({ $0 }), cutter.isEmpty, held == nil, spool.isQuiet,
                !reader.hasMore(in: spool.durable)
            {
                await heartbeat(shippedThrough: Int64.max, lives: lives)
                return
            }
        }
    }

    /// Reads frames into the cutter until it is full or nothing more is there (true).
    private func fill(
        _ cutter: inout BatchCutter, from reader: inout SpoolReader, held: inout SpoolReader.Frame?,
        durable: Spool.Durable
    ) throws -> Bool {
        while !cutter.isFull {
            let next: SpoolReader.Frame?
            if let frame = held { next = frame } else { next = try reader.next(in: durable) }
            held = nil
            guard let frame = next else { return true }
            guard cutter.accepts(frame) else {
                held = frame
                return false
            }
            try cutter.add(frame)
        }
        return false
    }

    /// Stores one batch, trying until it is; false where Postgres has another position than the reader.
    private func ship(
        _ cut: (batch: BeaconBatch, first: Spool.Position, last: Spool.Position, receivedAt: Int64),
        shippedThrough: Int64, reader: inout SpoolReader
    ) async -> Bool {
        let identity = cut.first.identity
        let node = node(identity)
        let batch = BatchStore.Batch(
            node: node, firstSeq: Int64(cut.first.seq), lastSeq: Int64(cut.last.seq), receivedAt: cut.receivedAt,
            encoding: cut.batch)
        let expected = reader.stored[identity].map { Int64($0) }
        var delayMs = Self.retryMs.lowerBound
        var attempts = 0
        while !Task.isCancelled {
            attempts += 1
            do {
                let stored = try await pool.withConnection { connection in
                    try BatchStore.store(batch, expected: expected, shippedThrough: shippedThrough, on: connection)
                }
                guard stored else {
                    await readPositions(&reader)
                    return false
                }
                reader.stored[identity] = cut.last.seq
                didStore(cut.batch, batch, node: node, upTo: cut.last, stored: reader.stored)
                return true
            } catch let error as PostgresError where error.isMissingPartition {
                logger.critical(
                    "no partition for this day of receipt: making it now; is `tiketi rollup partitions` scheduled?",
                    metadata: ["day": "\(batch.receivedDay)"])
                _ = try? await pool.withConnection { try BatchStore.ensurePartition(of: batch.receivedDay, on: $0) }
            } catch {
                metrics.failures.increment()
                if attempts.isPowerOfTwo {
                    logger.warning(
                        "storing a batch failed; trying again",
                        metadata: ["attempts": "\(attempts)", "error": "\(error)"])
                }
            }
            try? await Task.sleep(for: .milliseconds(delayMs))
            delayMs = min(delayMs * 2, Self.retryMs.upperBound)
        }
        return false
    }

    private func didStore(
        _ beacons: BeaconBatch, _ batch: BatchStore.Batch, node: String, upTo position: Spool.Position,
        stored: [UInt64: UInt64]
    ) {
        metrics.batches.increment()
        metrics.beacons.increment(by: batch.beacons)
        metrics.bytes.increment(by: batch.block.bytes.count)
        metrics.lagMs.set(Int(clock() - batch.receivedAt))
        markStored(stored)
        counters?.add(beacons, node: node, seq: batch.lastSeq)
    }

    // MARK: Positions

    /// Answers who waits for what Postgres has, and lets the segments go: also for what was stored without this loop
    /// seeing its commit, since nothing may follow that would do it later.
    private func markStored(_ stored: [UInt64: UInt64]) {
        spool.markStored { identity, lastSeq in lastSeq <= stored[identity] ?? 0 }
    }

    /// Makes the node known in Postgres, once: do it before anything is acknowledged. A drained node holds no answer
    /// back, so until it is known again, answers would be said to be fresher than they are.
    ///
    /// Where Postgres is away nobody is answered either, and `run()` goes on trying.
    package func announce() async {
        do {
            _ = try await register()
        } catch {
            logger.warning("Postgres can't be reached; the spool keeps", metadata: ["error": "\(error)"])
        }
    }

    /// Reads where Postgres stands and makes the node known there; retries until that works.
    private func register(_ reader: inout SpoolReader) async -> Bool {
        var delayMs = Self.retryMs.lowerBound
        while !Task.isCancelled {
            do {
                reader.stored = try await register()
                markStored(reader.stored)
                return true
            } catch {
                logger.warning("Postgres can't be reached; the spool keeps", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(delayMs))
            delayMs = min(delayMs * 2, Self.retryMs.upperBound)
        }
        return false
    }

    /// - Returns: the last number stored of each identity in the spool.
    private func register() async throws -> [UInt64: UInt64] {
        let now = clock()
        let durable = spool.durable
        let active = durable.segments[durable.segments.count - 1]
        return try await pool.withConnection { [self] connection in
            let positions = try BatchStore.positions(ofNode: nodeId + "/", on: connection)
            var stored: [UInt64: UInt64] = [:]
            for segment in durable.segments {
                let node = node(segment.identity)
                if let last = positions[node] { stored[segment.identity] = UInt64(last) }
            }
            if stored[active.identity] == nil {
                // Before its first segment, which need not be the active one: the spool may have filled many before
                // Postgres could be reached at all.
                let first = durable.segments.first { $0.identity == active.identity } ?? active
                // Somebody may have deleted the row of a node that lives: its batches are there still.
                let last = max(
                    first.firstSeq - 1,
                    try BatchStore.lastStored(ofNode: node(active.identity), on: connection).map { UInt64($0) } ?? 0)
                try BatchStore.register(
                    node: node(active.identity), lastSeq: Int64(last), shippedThrough: now, on: connection)
                stored[active.identity] = last
            }
            // It may have ended drained, at 'infinity': from now on it holds answers back again.
            let from = Self.firstUnstored(stored, durable) ?? now
            for identity in stored.keys {
                try BatchStore.advance(node: node(identity), shippedThrough: from, on: connection)
            }
            let today = Day(daysSince1970: Int(floorDiv(now, 86_400_000)))
            for day in [today, today + 1] { _ = try BatchStore.ensurePartition(of: day, on: connection) }
            return stored
        }
    }

    /// Where the spool turns out damaged, the beginning of time: the loop mends it, and then says better.
    private static func firstUnstored(_ stored: [UInt64: UInt64], _ durable: Spool.Durable) -> Int64? {
        var reader = SpoolReader()
        reader.stored = stored
        do throws(SpoolReader.ReadError) { return try reader.next(in: durable)?.receivedAt } catch { return 0 }
    }

    private func readPositions(_ reader: inout SpoolReader) async {
        let durable = spool.durable
        let positions = try? await pool.withConnection { [self] connection in
            try BatchStore.positions(ofNode: nodeId + "/", on: connection)
        }
        guard let positions else { return }
        for segment in durable.segments {
            if let last = positions[node(segment.identity)] { reader.stored[segment.identity] = UInt64(last) }
        }
        markStored(reader.stored)
        logger.notice("the spool's position was read again from Postgres")
    }

    /// Says that everything in the spool is stored.
    ///
    /// - Parameter lives: every identity the spool has had in this process; all but the last have ended, and hold
    ///   nothing back any more.
    private func heartbeat(shippedThrough: Int64, lives: Set<UInt64>) async {
        let durable = spool.durable
        let active = durable.segments[durable.segments.count - 1].identity
        do {
            try await pool.withConnection { [self] connection in
                for life in lives {
                    let through = life == active ? shippedThrough : Int64.max
                    try BatchStore.advance(node: node(life), shippedThrough: through, on: connection)
                }
            }
        } catch {
            logger.debug("heartbeat failed", metadata: ["error": "\(error)"])
        }
    }

    private func recover(from error: any Error, reader: inout SpoolReader) async {
        if case SpoolReader.ReadError.damaged(let segment, let offset) = error {
            logger.critical(
                "a spool segment is damaged", metadata: ["segment": "\(segment.name)", "offset": "\(offset)"])
            do {
                try await spool.quarantine(segment)
                return
            } catch {
                logger.critical("it could not be quarantined", metadata: ["error": "\(error)"])
            }
        } else {
            logger.critical("the spool can't be read", metadata: ["error": "\(error)"])
        }
        try? await Task.sleep(for: .seconds(1))
    }
}

extension PostgresError {
    /// `check_violation`, which is what a partitioned table without the row's partition answers.
    var isMissingPartition: Bool { kind == .server(sqlState: "23514") }
}

extension Int {
    var isPowerOfTwo: Bool { self > 0 && self & (self - 1) == 0 }
}

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
    private let feed = BatchFeed()

    /// Between two attempts while Postgres is away; doubles from the first to the last.
    static let retryMs: ClosedRange<Int64> = 50...2000
    /// Between two attempts to make the node known. Until it is, answers may be said to be fresher than they are.
    static let registerRetryMs: Int64 = 100
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
        nodeId + "/" + Hexadecimal.text(identity)
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
        guard var unfinished = await register() else { return }
        var lastHeartbeat: Int64 = 0
        for await _ in bell {
            if Task.isCancelled { return }
            do {
                while !Task.isCancelled {
                    let lookedAt = clock()
                    let filling = try await feed.fill(from: spool.durable)
                    for lost in filling.lost { report(lost) }
                    metrics.oldestReceivedAt.set(filling.identity == nil ? 0 : Int(filling.receivedAt))
                    guard let identity = filling.identity else {
                        // What waits may be stored already, by a commit that was lost from sight.
                        if spool.hasStoredWaiters { markStored() }
                        // By its size: the clock may be set back.
                        if abs(lookedAt - lastHeartbeat) >= Self.heartbeatMs {
                            lastHeartbeat = lookedAt
                            switch await heartbeat(shippedThrough: lookedAt, ended: unfinished) {
                            case .said:
                                unfinished = []
                                markStored(lastSeqs: filling.lastSeqs)
                            case .failed: break
                            case .positionDiffers:
                                guard let again = await register(doubting: spool.identity) else { return }
                                unfinished = again
                                await feed.rewind()
                                continue
                            }
                        }
                        break
                    }
                    let draining = isDraining.withLock { $0 }
                    guard
                        !filling.isDrained || filling.isDue(at: lookedAt) || draining || spool.hasStoredWaiters
                    else { break }
                    // Lives are shipped in their order: those before this one are over, and so is this one where
                    // the next frame is another's.
                    var ended = unfinished.prefix { $0 != identity }
                    let isEnd = filling.isDrained || (filling.nextIdentity ?? identity) != identity
                    if isEnd, identity != spool.identity { ended = unfinished.prefix(ended.count + 1) }
                    // What stays unshipped was received after this, so acknowledged after it too.
                    let shippedThrough =
                        ended.last == identity
                        ? .max : filling.nextReceivedAt ?? (filling.isDrained ? lookedAt : filling.receivedAt)
                    switch await ship(
                        feed.cut(), shippedThrough: shippedThrough, ended: Array(ended), lastSeqs: filling.lastSeqs)
                    {
                    case .stored: unfinished.removeFirst(ended.count)
                    case .cancelled: return
                    case .positionDiffers:
                        guard let again = await register(doubting: identity) else { return }
                        unfinished = again
                        await feed.rewind()
                    }
                }
            } catch {
                await recover(from: error)
                await feed.rewind()
            }
            // Quiet first: what was committed before that is in the durable part looked at after it.
            if isDraining.withLock({ $0 }), spool.isQuiet, await !feed.hasMore(in: spool.durable) {
                guard await heartbeat(shippedThrough: Int64.max, ended: unfinished) == .positionDiffers else { return }
                guard let again = await register(doubting: spool.identity) else { return }
                unfinished = again
                await feed.rewind()
                ring.yield()
            }
        }
    }

    private enum Shipped {
        case stored
        case positionDiffers
        case cancelled
    }

    /// Stores one batch, trying until it is.
    private func ship(
        _ cut: BatchFeed.Cut, shippedThrough: Int64, ended: [UInt64], lastSeqs: [String: UInt64]
    ) async -> Shipped {
        let identity = cut.first.identity
        let batch = BatchStore.Batch(
            node: node(identity), firstSeq: Int64(cut.first.seq), lastSeq: Int64(cut.last.seq),
            receivedAt: cut.receivedAt, encoding: cut.batch)
        let expected = feed.stored[identity].map { Int64($0) }
        let endedNodes = ended.map { node($0) }
        var delayMs = Self.retryMs.lowerBound
        var attempts = 0
        feed.prefetch(from: spool.durable)
        CrashPoint.batchEncoded.reached()
        while !Task.isCancelled {
            attempts += 1
            do {
                let stored = try await pool.withConnection { connection in
                    try BatchStore.store(
                        batch, expected: expected, shippedThrough: shippedThrough, ended: endedNodes, on: connection)
                }
                guard stored else { return .positionDiffers }
                feed.didStore(cut.last)
                didStore(cut.batch, batch, lastSeqs: lastSeqs)
                return .stored
            } catch let error as PostgresError where error.isMissingPartition {
                metrics.missingPartitions.increment()
                logger.critical(
                    "no partition for this day of receipt: making it now; is `tiketi rollup partitions` scheduled?",
                    metadata: ["day": "\(batch.receivedDay)"])
                _ = try? await pool.withConnection { try BatchStore.ensurePartition(of: batch.receivedDay, on: $0) }
            } catch let error as PostgresError where error.isUniqueViolation {
                logger.critical(
                    "a batch of this name is stored already, although the position says otherwise",
                    metadata: ["node": "\(batch.node)", "seq": "\(batch.firstSeq)"])
                try? await Task.sleep(for: .milliseconds(Self.retryMs.upperBound))
                return .positionDiffers
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
        return .cancelled
    }

    private func didStore(_ beacons: BeaconBatch, _ batch: BatchStore.Batch, lastSeqs: [String: UInt64]) {
        metrics.batches.increment()
        metrics.beacons.increment(by: batch.beacons)
        metrics.bytes.increment(by: batch.block.bytes.count)
        metrics.lagMs.set(Int(clock() - batch.receivedAt))
        markStored(lastSeqs: lastSeqs)
        counters?.add(beacons, node: batch.node, seq: batch.lastSeq)
    }

    // MARK: Positions

    /// Answers who waits for what Postgres has, and lets the segments go: also for what was stored without this loop
    /// seeing its commit, since nothing may follow that would do it later.
    private func markStored(lastSeqs: [String: UInt64] = [:]) {
        let stored = feed.stored
        spool.markStored(lastSeqs: lastSeqs) { identity, lastSeq in lastSeq <= stored[identity] ?? 0 }
    }

    private func report(_ lost: LostFrames) {
        logger.critical(
            "acknowledged beacons are neither stored nor in the spool",
            metadata: ["node": "\(node(lost.identity))", "frames": "\(lost.seqs)"])
        spool.markLost(lost)
    }

    /// Makes the node known in Postgres, once: do it before anything is acknowledged. A drained node holds no answer
    /// back, so until it is known again, answers would be said to be fresher than they are.
    ///
    /// Where Postgres is away nobody is answered either, and `run()` goes on trying.
    package func announce() async {
        do {
            _ = try await registerOnce(doubting: nil)
            CrashPoint.nodeKnown.reached()
        } catch {
            logger.warning("Postgres can't be reached; the spool keeps", metadata: ["error": "\(error)"])
        }
    }

    /// Reads where Postgres stands and makes the node known there; retries until that works.
    ///
    /// - Parameter identity: whose position is to be compared with its batches.
    /// - Returns: earlier lives that aren't finished, in their order; nil where it was cancelled.
    private func register(doubting identity: UInt64? = nil) async -> [UInt64]? {
        var attempts = 0
        while !Task.isCancelled {
            attempts += 1
            do {
                let registration = try await registerOnce(doubting: identity)
                feed.stored = registration.stored
                markStored()
                return registration.unfinished
            } catch {
                // What is in the spool may be older; it isn't known what of it is stored.
                if metrics.oldestReceivedAt.value == 0 { metrics.oldestReceivedAt.set(Int(clock())) }
                if attempts.isPowerOfTwo {
                    logger.warning(
                        "Postgres can't be reached; the spool keeps",
                        metadata: ["attempts": "\(attempts)", "error": "\(error)"])
                }
            }
            try? await Task.sleep(for: .milliseconds(Self.registerRetryMs))
        }
        return nil
    }

    private struct Registration: Sendable {
        /// The last number stored of each identity in the spool.
        var stored: [UInt64: UInt64] = [:]
        var unfinished: [UInt64] = []
    }

    private func registerOnce(doubting doubted: UInt64?) async throws -> Registration {
        let now = clock()
        let durable = spool.durable
        // In their order, the one that is written to last.
        var lives: [UInt64] = []
        for segment in durable.segments where lives.last != segment.identity { lives.append(segment.identity) }
        if lives.last != spool.identity { lives.append(spool.identity) }
        return try await pool.withConnection { [self, lives] connection in
            // One transaction: no answer may see an earlier life finished and this one not yet there.
            let registration = try connection.transaction { connection in
                if let doubted { try verifyPosition(of: doubted, on: connection) }
                let positions = try BatchStore.positions(ofNode: nodeId + "/", on: connection)
                var registration = Registration()
                for life in lives {
                    // Somebody may have deleted the row: its batches are there still.
                    let last =
                        try positions[node(life)] ?? BatchStore.lastStored(ofNode: node(life), on: connection) ?? 0
                    registration.stored[life] = UInt64(last)
                }
                let (first, through) = Self.firstUnstored(registration.stored, lives, durable, now: now)
                for (index, life) in lives.enumerated() {
                    let isOver = index < first && life != spool.identity
                    try BatchStore.register(
                        node: node(life), lastSeq: Int64(registration.stored[life]!),
                        shippedThrough: isOver ? .max : through, on: connection)
                    if !isOver, life != spool.identity { registration.unfinished.append(life) }
                }
                try BatchStore.finishLives(
                    ofDirectory: nodeId + "/" + SpoolIdentity.directoryPrefix(spool.identity),
                    except: lives.map { node($0) }, on: connection)
                return registration
            }
            let today = Day(daysSince1970: Int(floorDiv(now, 86_400_000)))
            for day in [today, today + 1] { _ = try BatchStore.ensurePartition(of: day, on: connection) }
            return registration
        }
    }

    /// The position wasn't where this loop had left it. Usually it has missed a commit of its own; otherwise somebody
    /// has changed the position or the batches, and the batches are the truth.
    private func verifyPosition(of identity: UInt64, on connection: PostgresConnection) throws {
        guard let (before, after) = try BatchStore.verifyPosition(ofNode: node(identity), on: connection) else {
            return
        }
        if before == after {
            logger.notice("the spool's position was read again from Postgres")
        } else {
            logger.critical(
                "the spool's position in Postgres is not where its batches end: going on from there",
                metadata: ["node": "\(node(identity))", "position": "\(before)", "batches": "\(after)"])
        }
    }

    /// Which of the lives is the first with something that isn't stored, and when that was received; behind the last
    /// and `now` where all is stored.
    ///
    /// Where the spool turns out damaged, the first and the beginning of time: the loop mends it, and then says better.
    private static func firstUnstored(
        _ stored: [UInt64: UInt64], _ lives: [UInt64], _ durable: Spool.Durable, now: Int64
    ) -> (life: Int, receivedAt: Int64) {
        var reader = SpoolReader()
        reader.stored = stored
        do throws(SpoolReader.ReadError) {
            guard let frame = try reader.next(in: durable) else { return (lives.count, now) }
            return (lives.firstIndex(of: frame.position.identity) ?? 0, frame.receivedAt)
        } catch {
            return (0, 0)
        }
    }

    private enum Heartbeat {
        case said
        /// Postgres doesn't stand where this loop left it: after a failover, or a restore.
        case positionDiffers
        case failed
    }

    /// Says that everything in the spool is stored, and that earlier lives have ended.
    private func heartbeat(shippedThrough: Int64, ended: [UInt64]) async -> Heartbeat {
        let stored = feed.stored
        struct PositionDiffers: Error {}
        do {
            try await pool.withConnection { [self] connection in
                try connection.transaction { connection in
                    for life in ended + [spool.identity] {
                        guard
                            try BatchStore.advance(
                                node: node(life), lastSeq: Int64(stored[life] ?? 0),
                                shippedThrough: life == spool.identity ? shippedThrough : .max, on: connection)
                        else { throw PositionDiffers() }
                    }
                }
            }
            return .said
        } catch is PositionDiffers {
            return .positionDiffers
        } catch {
            logger.debug("heartbeat failed", metadata: ["error": "\(error)"])
            return .failed
        }
    }

    private func recover(from error: any Error) async {
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
    var isUniqueViolation: Bool { kind == .server(sqlState: "23505") }
}

extension Int {
    var isPowerOfTwo: Bool { self > 0 && self & (self - 1) == 0 }
}

import Core
import Dispatch
package import Logging
import Platform
import Storage
import Synchronization

/// The durable write-ahead log on an ingest node's own disk, with group commit.
///
/// All that arrives while one group is being synced makes up the next: under load a commit carries many requests,
/// alone a request waits for nothing but its own sync.
package final class Spool: Sendable {
    /// Frames of one identity up to and including this number.
    package struct Position: Sendable, Hashable {
        package var identity: UInt64
        package var seq: UInt64
    }

    /// What is on disk and may be read, at one moment.
    struct Durable: Sendable {
        var segments: [SpoolSegment]
        /// Where the last segment's durable frames end.
        var endOffset: Int
        /// The number of the first frame that isn't there yet.
        var nextSeq: UInt64

        init(_ log: borrowing SpoolLog) {
            segments = log.segments
            endOffset = log.endOffset
            nextSeq = log.nextSeq
        }
    }

    /// Which of two queues a request waits in for its group commit.
    package enum Lane: Sendable {
        case normal
        /// For what there is too much of: it gets the room that the other lane leaves in a group, and a little always.
        /// Nothing in the normal lane waits for it.
        case overflow
    }

    /// Told what is reached: `.onDisk` and, where that was asked for, `.stored`, which may overtake it. Or a refusal.
    package typealias Completion = @Sendable (Result<Durability, SpoolRefusal>) -> Void

    private struct Request {
        var records: BeaconRecords
        var receivedAt: Int64
        var durability: Durability
        var lane: Lane
        var completion: Completion
    }

    private struct State {
        /// Requests that wait for a group commit.
        var waiting: [Lane: [Request]] = [:]
        /// Of what waits or is being committed.
        var queuedBytes: [Lane: Int] = [:]
        var isCommitting = false
        var isDraining = false
        var failure: String?
        var isOutOfSpace = false
        var bytesOnDisk = 0
        var durable: Durable
        /// Requests of `.stored`.
        var waiters: [(position: Position, completion: Completion)] = []
        var waiterCount = 0
        var wakeShipper: (@Sendable () -> Void)?
        /// Of the last frame.
        var lastReceivedAt: Int64 = 0
        /// Committed since the shipper was last woken.
        var beaconsUnannounced = 0

        mutating func release(_ group: [Request]) {
            for request in group { queuedBytes[request.lane, default: 0] -= request.records.bytes.count }
        }
    }

    static let maxLateMs: Int64 = 60_000

    /// Of all that is appended from this opening on (see `SpoolIdentity`).
    package let identity: UInt64
    private let settings: SpoolSettings
    private let queue = DispatchQueue(label: "tiketi.spool")
    private let state: Mutex<State>
    private let log: Mutex<SpoolLog>
    private let logger: Logger
    private let onFailure: @Sendable (String) -> Void
    private let metrics: SpoolMetrics

    /// Opens the spool in `settings.directory`, mending what a crash left behind.
    ///
    /// - Parameter onFailure: called once when the disk fails a write or a sync. What reached the medium is unknown
    ///   then, so nothing is acknowledged any more and the process must end.
    package convenience init(
        _ settings: SpoolSettings, metrics: SpoolMetrics, logger: Logger,
        onFailure: @escaping @Sendable (String) -> Void
    ) throws {
        try self.init(
            settings, on: try DiskDirectory(settings.directory), metrics: metrics, logger: logger, onFailure: onFailure)
    }

    init(
        _ settings: SpoolSettings, on directory: any Directory, metrics: SpoolMetrics, logger: Logger,
        onFailure: @escaping @Sendable (String) -> Void
    ) throws {
        self.settings = settings
        self.logger = logger
        self.metrics = metrics
        self.onFailure = onFailure
        let log = try SpoolLog(directory, segmentBytes: settings.segmentBytes, logger: logger)
        identity = log.identity
        state = Mutex(State(bytesOnDisk: log.bytesOnDisk, durable: Durable(log)))
        self.log = Mutex(log)
    }

    // MARK: Appending

    /// Takes a request's beacons; `completion` runs on the spool's queue or the caller's thread.
    package func append(
        _ records: BeaconRecords, until durability: Durability, lane: Lane = .normal,
        completion: @escaping Completion
    ) {
        let size = records.bytes.count
        let refusal = state.withLock { state -> SpoolRefusal? in
            if let failure = state.failure { return .failed(failure) }
            if state.isDraining { return .draining }
            let maxQueuedBytes = lane == .normal ? settings.maxQueuedBytes : settings.maxOverflowBytes
            if state.queuedBytes[lane, default: 0] + size > maxQueuedBytes || size > maxRequestBytes {
                return .full(retryAfterSeconds: 1)
            }
            if state.isOutOfSpace || state.bytesOnDisk > settings.maxBytes { return .full(retryAfterSeconds: 5) }
            if durability == .stored {
                guard state.waiterCount < settings.maxStoredWaiters else { return .full(retryAfterSeconds: 1) }
                state.waiterCount += 1
            }
            state.waiting[lane, default: []].append(
                Request(
                    records: records, receivedAt: records.firstReceivedAt, durability: durability, lane: lane,
                    completion: completion))
            state.queuedBytes[lane, default: 0] += size
            if !state.isCommitting {
                state.isCommitting = true
                queue.async { self.commitGroups() }
            }
            return nil
        }
        if let refusal {
            if case .full = refusal { metrics.refusedFull.increment() }
            completion(.failure(refusal))
        }
    }

    private var maxRequestBytes: Int {
        min(SpoolFrame.maxPayloadBytes, settings.segmentBytes - SpoolSegment.headerBytes)
            - SpoolSegment.frameHeaderBytes - SpoolFrame.payloadHeaderBytes
    }

    /// Commits groups until nothing waits. On `queue`.
    private func commitGroups() {
        while true {
            let group = state.withLock { state -> [Request] in
                let group = nextGroup(&state)
                if group.isEmpty { state.isCommitting = false }
                return group
            }
            guard !group.isEmpty else { return }
            commit(group)
        }
    }

    private func nextGroup(_ state: inout State) -> [Request] {
        var group: [Request] = []
        var bytes = 0
        var beacons = 0
        /// - Parameter room: for a request that is to come after these.
        func take(_ lane: Lane, upTo maxBytes: Int, leaving room: BeaconRecords? = nil) {
            let waiting = state.waiting[lane, default: []]
            var count = 0
            while count < waiting.count, count < 1 || bytes < maxBytes {
                let records = waiting[count].records
                // One request may be as large as a frame; more must stay within the bounds.
                if !group.isEmpty || count > 0,
                    bytes + records.bytes.count + (room?.bytes.count ?? 0) > maxRequestBytes
                        || beacons + records.count + (room?.count ?? 0) > settings.maxGroupBeacons
                {
                    break
                }
                bytes += records.bytes.count
                beacons += records.count
                count += 1
            }
            group += waiting[..<count]
            state.waiting[lane]?.removeFirst(count)
        }
        take(.normal, upTo: settings.maxGroupBytes, leaving: state.waiting[.overflow]?.first?.records)
        take(.overflow, upTo: group.isEmpty ? settings.maxGroupBytes : settings.overflowGroupBytes)
        return group
    }

    private func commit(_ group: [Request]) {
        let started = DispatchTime.now().uptimeNanoseconds
        let payloadBytes = group.reduce(0) { $0 + $1.records.bytes.count }
        let beacons = group.reduce(0) { $0 + $1.records.count }
        let receivedAt = state.withLock { state in
            // What comes late out of the overflow lane was not acknowledged before what has overtaken it. By more than
            // this it isn't late: the clock was set back.
            let isLate = (1...Self.maxLateMs).contains(state.lastReceivedAt &- group[0].receivedAt)
            if !isLate { state.lastReceivedAt = group[0].receivedAt }
            return state.lastReceivedAt
        }
        var frame: [UInt8] = []
        frame.reserveCapacity(SpoolSegment.frameHeaderBytes + SpoolFrame.payloadHeaderBytes + payloadBytes)
        frame.append(contentsOf: repeatElement(0, count: SpoolSegment.frameHeaderBytes))
        frame.append(littleEndian: UInt32(beacons))
        frame.append(littleEndian: receivedAt)
        for request in group { frame.append(contentsOf: request.records.bytes) }
        CrashPoint.groupTaken.reached()
        do {
            let (position, durable, bytesOnDisk) = try log.withLock { log in
                let seq = try log.append(&frame)
                CrashPoint.frameWritten.reached()
                do throws(DiskError) { try log.synchronize() } catch { throw SpoolLog.AppendError.disk(error) }
                CrashPoint.frameSynced.reached()
                return (Position(identity: identity, seq: seq), Durable(log), log.bytesOnDisk)
            }
            metrics.groupCommitSeconds.observe(Double(DispatchTime.now().uptimeNanoseconds - started) / 1e9)
            metrics.groupBeacons.observe(Double(beacons))
            let wake = state.withLock { state -> (@Sendable () -> Void)? in
                state.durable = durable
                state.bytesOnDisk = bytesOnDisk
                state.isOutOfSpace = false
                state.release(group)
                for request in group where request.durability == .stored {
                    state.waiters.append((position, request.completion))
                }
                state.beaconsUnannounced += beacons
                guard state.beaconsUnannounced >= BatchCutter.targetBeacons || !state.waiters.isEmpty else {
                    return nil
                }
                state.beaconsUnannounced = 0
                return state.wakeShipper
            }
            metrics.bytesOnDisk.set(bytesOnDisk)
            for request in group { request.completion(.success(.onDisk)) }
            wake?()
        } catch {
            refuse(group, after: error)
        }
    }

    private func refuse(_ group: [Request], after error: any Error) {
        let refusal: SpoolRefusal
        if case SpoolLog.AppendError.outOfSpace = error {
            refusal = .full(retryAfterSeconds: 5)
            logger.error("the spool's disk is full: refusing beacons", metadata: ["spool": "\(settings.directory)"])
            // Space may come back without the shipper's help: let a request through to try again.
            queue.asyncAfter(deadline: .now() + .seconds(1)) {
                self.state.withLock { $0.isOutOfSpace = false }
            }
        } else {
            refusal = .failed("\(error)")
        }
        let waiting = state.withLock { state -> [Completion] in
            state.release(group)
            state.waiterCount -= group.count { $0.durability == .stored }
            if case .failed(let message) = refusal {
                state.failure = message
                // Nothing that waits can be acknowledged any more.
                let rest = state.waiting.values.joined().map(\.completion) + state.waiters.map(\.completion)
                state.waiting = [:]
                state.queuedBytes = [:]
                state.waiters = []
                return rest
            }
            state.isOutOfSpace = true
            return []
        }
        for request in group { request.completion(.failure(refusal)) }
        for completion in waiting { completion(.failure(refusal)) }
        if case .failed(let message) = refusal {
            logger.critical(
                "the spool's disk failed: nothing is acknowledged any more", metadata: ["error": "\(message)"])
            onFailure(message)
        }
    }

    // MARK: Reading and releasing, for the shipper

    /// What may be read now. Frames beyond it might still be lost.
    var durable: Durable { state.withLock { $0.durable } }

    /// Called on the spool's queue when there is a batch's worth on disk that it was not called for, or someone waits for
    /// Postgres. Not after each commit: thousands a second would be as many threads woken, for next to nothing to ship.
    func onCommit(_ wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wakeShipper = wake }
    }

    /// Whether someone waits for Postgres: then a batch isn't kept waiting to fill.
    var hasStoredWaiters: Bool { state.withLock { $0.waiterCount > 0 } }

    /// True once a draining spool has committed everything it took.
    var isQuiet: Bool { state.withLock { $0.isDraining && !$0.isCommitting } }

    /// Answers those who waited for what is now in Postgres, and removes segments that hold nothing else.
    ///
    /// - Parameter lastSeqs: by a segment's name, the last number that reading found in it.
    func markStored(
        lastSeqs: [String: UInt64] = [:],
        _ isStored: @escaping @Sendable (_ identity: UInt64, _ lastSeq: UInt64) -> Bool
    ) {
        answer(.success(.stored)) { isStored($0.identity, $0.seq) }
        queue.async {
            let removed = Result {
                try self.log.withLock { try $0.removeSegments(lastSeqs: lastSeqs, where: isStored) }
            }
            if case .failure(let error) = removed {
                self.logger.error("a stored spool segment could not be removed", metadata: ["error": "\(error)"])
            }
            self.noteFiles()
        }
    }

    /// Tells those who wait for these frames that they won't be stored.
    func markLost(_ lost: LostFrames) {
        answer(.failure(.failed("the spool's disk has damaged what was taken"))) { lost.contains($0) }
    }

    /// Those who wait needn't wait in order: what damage takes is answered when it is found.
    private func answer(_ result: Result<Durability, SpoolRefusal>, where isDecided: (Position) -> Bool) {
        let answered = state.withLock { state -> [Completion] in
            let answered = state.waiters.filter { isDecided($0.position) }.map(\.completion)
            guard !answered.isEmpty else { return [] }
            state.waiters.removeAll { isDecided($0.position) }
            state.waiterCount -= answered.count
            return answered
        }
        for completion in answered { completion(result) }
    }

    /// Keeps a segment that reading found damaged under another name, and its good frames in a clean one.
    ///
    /// On the spool's queue, as every change of what is durable: a commit between reading the log and saying so would
    /// be unsaid.
    func quarantine(_ segment: SpoolSegment) async throws {
        let lost = try await withCheckedThrowingContinuation { continuation in
            queue.async {
                let lost = Result { try self.log.withLock { try $0.quarantine(segment, logger: self.logger) } }
                self.noteFiles()
                continuation.resume(with: lost)
            }
        }
        markLost(lost)
    }

    /// Says what the log holds after its files changed. On `queue`.
    private func noteFiles() {
        let (durable, bytesOnDisk) = log.withLock { (Durable($0), $0.bytesOnDisk) }
        state.withLock { state in
            state.durable = durable
            state.bytesOnDisk = bytesOnDisk
        }
        metrics.bytesOnDisk.set(bytesOnDisk)
    }

    // MARK: Ending

    /// Whether beacons would be taken now.
    package var canAccept: Bool {
        state.withLock { state in
            state.failure == nil && !state.isDraining && !state.isOutOfSpace && state.bytesOnDisk <= settings.maxBytes
        }
    }

    /// Refuses what comes from now on; what was taken is still committed and acknowledged.
    package func beginDraining() {
        state.withLock { $0.isDraining = true }
    }
}

extension BeaconRecords {
    /// Receipt of the first record; 0 where there is none.
    var firstReceivedAt: Int64 {
        guard count > 0 else { return 0 }
        return bytes.withUnsafeBytes { $0.integer(at: 5, as: Int64.self) }
    }
}

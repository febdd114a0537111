import Logging
import Synchronization

/// What all who look at the present are sent: found once a second for all of them, and not at all for nobody.
package final class RealtimeFeed: Sendable {
    /// Each is a connection that stays open.
    package static let maxSubscribers = 1_000
    /// A slow reader is sent the newest, and misses what came before it.
    static let maxUnread = 1
    static let interval = Duration.seconds(1)
    /// A token is checked when a stream begins: whoever wants to go on comes again.
    static let maxPieces = 3_600

    package struct Refused: Error {}

    /// Something that goes out as it is: an event or, where there is none yet, a comment that keeps the line open.
    typealias Piece = [UInt8]

    private struct State {
        var subscribers: [Int: AsyncStream<Piece>.Continuation] = [:]
        var nextID = 0
        var isClosed = false
        /// Ends by itself once nobody is left.
        var ticking: Task<Void, Never>?
        var isFinding = false
        var hasSent = false
    }

    private let state = Mutex(State())
    private let maxSubscribers: Int
    private let interval: Duration
    private let logger: Logger
    private let find: @Sendable () async throws -> Piece

    init(
        maxSubscribers: Int = maxSubscribers, interval: Duration = interval, logger: Logger,
        find: @escaping @Sendable () async throws -> Piece
    ) {
        self.maxSubscribers = maxSubscribers
        self.interval = interval
        self.logger = logger
        self.find = find
    }

    static let heartbeat = Array(": waiting\n\n".utf8)

    /// - Throws: where there are too many, or the process is ending.
    func subscribe() throws(Refused) -> AsyncStream<Piece> {
        let (stream, continuation) = AsyncStream<Piece>.makeStream(bufferingPolicy: .bufferingNewest(Self.maxUnread))
        let id: Int? = state.withLock { state in
            guard !state.isClosed, state.subscribers.count < maxSubscribers else { return nil }
            let id = state.nextID
            state.nextID += 1
            state.subscribers[id] = continuation
            if state.ticking == nil { state.ticking = Task { await self.tick() } }
            return id
        }
        guard let id else { throw Refused() }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.subscribers.removeValue(forKey: id) }
        }
        return stream
    }

    package var subscriberCount: Int { state.withLock { $0.subscribers.count } }
    /// Whether anything is being done.
    var isTicking: Bool { state.withLock { $0.ticking != nil } }

    /// Ends every stream, and refuses further ones.
    package func close() {
        let (subscribers, ticking) = state.withLock { state in
            state.isClosed = true
            return (state.subscribers, state.ticking)
        }
        for continuation in subscribers.values { continuation.finish() }
        ticking?.cancel()
    }

    private func tick() async {
        var next = ContinuousClock.now
        while true {
            let (goesOn, finds, isSilent) = state.withLock { state in
                if state.subscribers.isEmpty || state.isClosed {
                    state.ticking = nil
                    return (false, false, false)
                }
                let (finds, isSilent) = (!state.isFinding, !state.hasSent)
                state.isFinding = true
                state.hasSent = false
                return (true, finds, isSilent)
            }
            guard goesOn else { return }
            // It may take longer than a second; meanwhile the line is kept open.
            if finds { Task { await self.findAndSend() } } else if isSilent { send(Self.heartbeat) }
            next = max(next + interval, .now)
            try? await Task.sleep(until: next, clock: .continuous)
        }
    }

    private func findAndSend() async {
        do {
            let piece = try await find()
            state.withLock { $0.hasSent = true }
            send(piece)
        } catch {
            logger.debug("realtime goes without an answer", metadata: ["error": "\(error)"])
            send(Self.heartbeat)
        }
        state.withLock { $0.isFinding = false }
    }

    private func send(_ piece: Piece) {
        // Outside the lock: what a stream runs at its end takes it.
        for continuation in state.withLock({ Array($0.subscribers.values) }) { continuation.yield(piece) }
    }
}

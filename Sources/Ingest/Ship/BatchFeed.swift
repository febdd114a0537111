import Core
import Dispatch
import Synchronization

/// Makes batches of the spool's frames, reading them on a queue of its own: reading blocks.
///
/// For one caller, who waits for each call before the next.
final class BatchFeed: Sendable {
    /// What waits to be shipped, after filling.
    struct Filling: Sendable {
        /// Nothing more is in the spool.
        var isDrained: Bool
        /// Receipt of the batch's first beacon.
        var receivedAt: Int64
        var identity: UInt64?
        /// The frame that comes after the batch, where it was read already.
        var nextIdentity: UInt64?
        var nextReceivedAt: Int64?
        /// Frames found missing on the way.
        var lost: [LostFrames]
        /// What reading found to be each segment's last number.
        var lastSeqs: [String: UInt64]

        /// A batch that seems to be received later than this was received before the clock was set back.
        func isDue(at now: Int64) -> Bool { abs(now - receivedAt) >= BatchCutter.lingerMs }
    }

    typealias Cut = (batch: BeaconBatch, first: Spool.Position, last: Spool.Position, receivedAt: Int64)

    private struct State {
        var reader = SpoolReader()
        var cutter = BatchCutter()
        var held: SpoolReader.Frame?
        /// Found missing by `prefetch`, and not told yet.
        var lost: [LostFrames] = []

        /// Reads frames into the cutter until it is full or nothing more is there.
        mutating func fill(from durable: Spool.Durable, stored: [UInt64: UInt64]) throws -> Filling {
            reader.stored = stored
            defer { lost = [] }
            var isDrained = false
            while !cutter.isFull {
                guard let frame = try held ?? reader.next(in: durable) else {
                    isDrained = true
                    break
                }
                if held == nil, let missing = frame.missing {
                    lost.append(LostFrames(identity: frame.position.identity, seqs: missing))
                }
                held = nil
                guard cutter.accepts(frame) else {
                    held = frame
                    break
                }
                try cutter.add(frame)
            }
            return Filling(
                isDrained: isDrained, receivedAt: cutter.receivedAt, identity: cutter.first?.identity,
                nextIdentity: held?.position.identity,
                nextReceivedAt: held?.receivedAt, lost: lost, lastSeqs: reader.lastSeqs)
        }
    }

    private let state = Mutex(State())
    /// By itself: whoever asks doesn't wait for what is being read.
    private let positions = Mutex<[UInt64: UInt64]>([:])
    private let queue = DispatchQueue(label: "tiketi.spool.read")

    /// - Throws: `SpoolReader.ReadError`; `rewind()` then.
    func fill(from durable: Spool.Durable) async throws -> Filling {
        try await reading { [self] in try $0.fill(from: durable, stored: stored) }
    }

    /// Reads the next batch while the one that was taken is being stored. What is found wrong is told by `fill`.
    func prefetch(from durable: Spool.Durable) {
        queue.async {
            self.state.withLock { state in
                guard let filling = try? state.fill(from: durable, stored: self.stored) else { return }
                state.lost = filling.lost
            }
        }
    }

    /// Takes the batch.
    func cut() -> Cut { state.withLock { $0.cutter.cut() } }

    /// Whether anything was read and not stored, or is there to be read.
    func hasMore(in durable: Spool.Durable) async -> Bool {
        let hasMore = try? await reading { state in
            !state.cutter.isEmpty || state.held != nil || state.reader.hasMore(in: durable)
        }
        return hasMore ?? true
    }

    /// Drops what was read and goes back to what isn't stored.
    func rewind() async {
        try? await reading { state in
            state.lost = []
            state.held = nil
            state.cutter = BatchCutter()
            state.reader.rewind()
        }
    }

    /// The last number stored of each identity.
    var stored: [UInt64: UInt64] {
        get { positions.withLock { $0 } }
        set { positions.withLock { $0 = newValue } }
    }

    func didStore(_ position: Spool.Position) {
        positions.withLock { $0[position.identity] = position.seq }
    }

    private func reading<R: Sendable>(_ body: @escaping @Sendable (inout State) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.state.withLock { try body(&$0) } }) }
        }
    }
}

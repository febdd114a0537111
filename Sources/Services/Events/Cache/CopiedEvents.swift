import NIOCore
import Synchronization

/// What other services copy of events, as JSON, each by the version that it is of: written once for all who ask, since
/// anybody within reach may ask for the largest again and again.
///
/// Whoever asks says which version the database has: nothing older is ever answered.
final class CopiedEvents: Sendable {
    /// Of all together. Beyond either bound, what was asked for longest ago goes.
    static let maxBytes = 32 << 20
    static let maxEvents = 1024

    struct Copy: Sendable {
        var version: Int64
        var json: ByteBuffer
    }

    private struct Kept {
        var copy: Copy
        var usedAt: UInt64
    }

    private struct State {
        var kept: [String: Kept] = [:]
        var bytes = 0
        var uses: UInt64 = 0
    }

    private let state = Mutex(State())
    private let flights = SingleFlight<ByteBuffer>()

    /// - Parameters:
    ///   - version: that the database has now.
    ///   - make: reads the event; what it reads is of this version, or of a later one.
    func json(
        of id: String, version: Int64, make: @escaping @Sendable () async throws -> Copy
    ) async throws -> ByteBuffer {
        if let json = find(id, version) { return json }
        return try await flights.value("\(id) \(version)") { [self] in
            // Whoever made it may have ended between the two questions.
            if let json = find(id, version) { return json }
            let copy = try await make()
            keep(id, copy)
            return copy.json
        }
    }

    var size: (events: Int, bytes: Int) { state.withLock { ($0.kept.count, $0.bytes) } }

    private func find(_ id: String, _ version: Int64) -> ByteBuffer? {
        state.withLock { state in
            guard let copy = state.kept[id]?.copy, copy.version == version else { return nil }
            state.uses += 1
            state.kept[id]?.usedAt = state.uses
            return copy.json
        }
    }

    private func keep(_ id: String, _ copy: Copy) {
        let bytes = copy.json.readableBytes
        guard bytes <= Self.maxBytes else { return }
        state.withLock { state in
            func remove(_ id: String) {
                state.bytes -= state.kept.removeValue(forKey: id)?.copy.json.readableBytes ?? 0
            }
            remove(id)
            while state.kept.count >= Self.maxEvents || state.bytes + bytes > Self.maxBytes,
                let oldest = state.kept.min(by: { $0.value.usedAt < $1.value.usedAt })
            {
                remove(oldest.key)
            }
            state.uses += 1
            state.kept[id] = Kept(copy: copy, usedAt: state.uses)
            state.bytes += bytes
        }
    }
}

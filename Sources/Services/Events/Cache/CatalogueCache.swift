import Core
import Logging
import Storage

/// Answers of the catalogue in Redis, to be found by what was asked.
///
/// Anybody may ask anything, and Redis is shared and refuses writes once it is full: so there are slots, so many of each
/// kind, and a question's hash says which is its. Who asks for what nobody else does takes a slot from another answer,
/// which is made anew when it is asked for again; Redis holds no more for it.
///
/// Each answer holds a generation, a counter that every change of the catalogue raises: what was cached before is never
/// answered again. No key is searched for by a pattern. Redis may be away: then nothing is found and nothing kept.
struct CatalogueCache: Sendable {
    /// The only key beside the slots.
    static let generationKey = "tiketi:events:generation"
    /// What a change that could not raise the generation leaves behind is over after so long.
    static let maxAgeMs: Int64 = 10_000

    /// Kinds of questions, each with its own slots: many of one don't take those of another.
    enum Kind: String, CaseIterable, Sendable {
        case event, layout, images, names, list, search

        var maxSlots: Int {
            switch self {
            case .event: 1024
            case .layout: 16
            case .images, .names, .list, .search: 64
            }
        }

        /// Of an entry. Larger answers are made anew each time.
        var maxBytes: Int {
            switch self {
            case .event: 16 << 10
            case .layout: 1 << 20
            case .images, .names, .list, .search: 128 << 10
            }
        }

        func key(_ slot: Int) -> String { "tiketi:events:cache:\(rawValue):\(slot)" }
    }

    private let redis: RedisPool
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let flights = SingleFlight<String>()

    init(_ redis: RedisPool, clock: @escaping @Sendable () -> Int64, logger: Logger) {
        self.redis = redis
        self.clock = clock
        self.logger = logger
    }

    /// An answer, and for how long time alone leaves it as it is (milliseconds since 1970).
    struct Entry: Sendable {
        var json: String
        var staysUntil: Int64?
    }

    /// What is cached, else what `make` makes. Who asks for the same at the same time in this process waits for one.
    ///
    /// - Parameter name: of the question, unique in its kind, with all that the answer depends on; without line breaks.
    func json(_ kind: Kind, _ name: String, make: @escaping @Sendable () async throws -> Entry) async throws -> String {
        let generation = await generation()
        // Without Redis there is no generation to tell a change by: then each asks for itself what those who came
        // before a change may be asking.
        guard let generation else { return try await make().json }
        let key = Self.key(kind, name)
        return try await flights.value("\(generation):\(kind.rawValue):\(name)") {
            if let found = await find(key, generation, name) { return found }
            let entry = try await make()
            await keep(entry, kind, key, generation, name)
            return entry.json
        }
    }

    static func key(_ kind: Kind, _ name: String) -> String {
        kind.key(Int(Murmur3.hash64(name) % UInt64(kind.maxSlots)))
    }

    /// After the commit of a change.
    func drop() async {
        do {
            _ = try await redis.withConnection { try $0.command(["INCR", .init(Self.generationKey)]) }
        } catch {
            logger.warning(
                "cached answers could not be dropped: they are old for a while",
                metadata: ["error": "\(error)", "seconds": "\(Self.maxAgeMs / 1000)"])
        }
    }

    private func generation() async -> Int64? {
        try? await redis.withConnection { connection in
            let reply = try connection.command(["GET", .init(Self.generationKey)])
            return reply.isNull ? 0 : reply.int
        }
    }

    /// An entry is its generation, the instant until which it holds, its question, since others share its slot, and the
    /// answer: a line each.
    private func find(_ key: String, _ generation: Int64, _ name: String) async -> String? {
        let reply = try? await redis.withConnection { try $0.command(["GET", .init(key)]) }
        guard let text = reply?.string else { return nil }
        let parts = text.split(separator: "\n", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, Int64(parts[0]) == generation, let until = Int64(parts[1]), clock() < until,
            parts[2] == name
        else { return nil }
        return String(parts[3])
    }

    private func keep(_ entry: Entry, _ kind: Kind, _ key: String, _ generation: Int64, _ name: String) async {
        let now = clock()
        let until = min(entry.staysUntil ?? .max, now + Self.maxAgeMs)
        let text = "\(generation)\n\(until)\n\(name)\n\(entry.json)"
        guard until > now, text.utf8.count <= kind.maxBytes else { return }
        _ = try? await redis.withConnection { connection in
            try connection.command(["SET", .init(key), .init(text), "PX", .init(until - now)])
        }
    }
}

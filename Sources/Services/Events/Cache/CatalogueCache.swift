import Core
import Logging
import Storage

/// Answers of the catalogue in Redis, to be found by what was asked.
///
/// The keys hold a generation, a counter that every change of the catalogue raises: what was cached before is never asked
/// for again, and goes when its time is over. No key is searched for by a pattern. Redis may be away: then nothing is
/// found and nothing kept.
struct CatalogueCache: Sendable {
    static let generationKey = "tiketi:events:generation"
    /// What a change that could not raise the generation leaves behind is over after so long.
    static let maxAgeMs: Int64 = 10_000
    /// Larger answers are made anew each time.
    static let maxBytes = 4 * 1024 * 1024

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
    /// - Parameter name: of the question, with all that the answer depends on.
    func json(_ name: String, make: @escaping @Sendable () async throws -> Entry) async throws -> String {
        let generation = await generation()
        // Without Redis there is no generation to tell a change by: then each asks for itself what those who came
        // before a change may be asking.
        guard let generation else { return try await make().json }
        let key = "tiketi:events:\(generation):\(Hexadecimal.text(Murmur3.hash64(name))):\(name.utf8.count)"
        return try await flights.value(key) {
            if let found = await find(key, name) { return found }
            let entry = try await make()
            await keep(entry, key, name)
            return entry.json
        }
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

    /// An entry is the instant until which it holds, its question, since two may have one hash, and the answer.
    private func find(_ key: String, _ name: String) async -> String? {
        let reply = try? await redis.withConnection { try $0.command(["GET", .init(key)]) }
        guard let text = reply?.string else { return nil }
        let parts = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let until = Int64(parts[0]), clock() < until, parts[1] == name else { return nil }
        return String(parts[2])
    }

    private func keep(_ entry: Entry, _ key: String, _ name: String) async {
        let now = clock()
        let until = min(entry.staysUntil ?? .max, now + Self.maxAgeMs)
        guard until > now, entry.json.utf8.count <= Self.maxBytes else { return }
        _ = try? await redis.withConnection { connection in
            try connection.command([
                "SET", .init(key), .init("\(until)\n\(name)\n\(entry.json)"), "PX", .init(until - now),
            ])
        }
    }
}

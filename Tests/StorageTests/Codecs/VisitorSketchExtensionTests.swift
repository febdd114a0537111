import Core
import Storage
import TestSupport
import Testing

/// Sketches compared with postgresql-hll itself.
@Suite struct VisitorSketchExtensionTests {
    private func withExtension(_ body: @escaping @Sendable (PostgresConnection) throws -> Void) async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                try connection.run(script: "CREATE EXTENSION hll")
                try body(connection)
            }
        }
    }

    private static func sketch(_ hashes: [UInt64]) -> VisitorSketch {
        hashes.reduce(into: VisitorSketch()) { $0.add(hash: $1) }
    }

    /// The extension's bytes and cardinality of a `hll` expression.
    private static func ask(_ connection: PostgresConnection, _ hll: SQL) throws -> (
        bytes: [UInt8], cardinality: Double
    ) {
        let row = try connection.query(
            "SELECT h::text::bytea, hll_cardinality(h) FROM (SELECT \(sql: hll) AS h) AS asked")[0]
        return (try row.get(0), try row.get(1))
    }

    private static func added(_ hashes: [UInt64]) -> SQL {
        let signed = hashes.map { Int64(bitPattern: $0) }
        return """
            coalesce((SELECT hll_add_agg(v::hll_hashval, 13, 5, 128, 1) FROM unnest(\(signed)) AS v), hll_empty(13, 5, 128, 1))
            """
    }

    private static func compare(
        _ sketch: VisitorSketch, with theirs: (bytes: [UInt8], cardinality: Double), _ comment: Comment
    ) {
        #expect(sketch.bytes == theirs.bytes, comment)
        #expect(abs(sketch.estimate - theirs.cardinality) <= theirs.cardinality * 1e-9, comment)
    }

    @Test func textsHashAsInTheExtension() async throws {
        try await withExtension { connection in
            var generator = SeededGenerator()
            let alphabet: [Character] = ["a", "Z", "0", "-", "é", "한", "🎟", "\u{301}", " ", "\n"]
            let texts = (0...40).flatMap { length in
                (0..<8).map { _ in String((0..<length).map { _ in alphabet.randomElement(using: &generator)! }) }
            }
            let hashes = try connection.query("SELECT hll_hash_text(t)::text::bigint FROM unnest(\(texts)) AS t")
                .map { try $0.get(0, as: Int64.self) }
            #expect(hashes == texts.map { Int64(bitPattern: Murmur3.hash64($0)) }, "\(generator)")
        }
    }

    @Test func setsOfEverySizeHaveTheSameBytesAndCardinality() async throws {
        try await withExtension { connection in
            var generator = SeededGenerator()
            var sizes = [0, 1, 2, 127, 128, 129, 130, 500, 2000, 2600, 2700, 5000, 100_000]
            for _ in 0..<20 { sizes.append(Int.random(in: 0...3500, using: &generator)) }
            for size in sizes {
                let hashes = (0..<size).map { _ in generator.next() }
                let theirs = try Self.ask(connection, Self.added(hashes))
                Self.compare(Self.sketch(hashes), with: theirs, "\(size) values, \(generator)")
                #expect(try VisitorSketch(bytes: theirs.bytes) == Self.sketch(hashes), "\(size) values, \(generator)")
            }
        }
    }

    /// Hashes with few bits set: registers at their limit, hashes of no value, either sign.
    @Test func unusualHashesCountAlike() async throws {
        try await withExtension { connection in
            var generator = SeededGenerator()
            for round in 0..<40 {
                let hashes = (0..<Int.random(in: 100...1500, using: &generator)).map { _ in
                    let bits = Int.random(in: 0...3, using: &generator)
                    return (0..<bits).reduce(UInt64.random(in: 0..<8192, using: &generator) * UInt64(round % 2)) {
                        hash, _ in
                        hash | 1 << UInt64.random(in: 0..<64, using: &generator)
                    }
                }
                Self.compare(Self.sketch(hashes), with: try Self.ask(connection, Self.added(hashes)), "\(generator)")
            }
        }
    }

    @Test func unionsAreEqualWhoeverMadeThem() async throws {
        try await withExtension { connection in
            var generator = SeededGenerator()
            let sizes = [0, 1, 40, 64, 100, 127, 128, 129, 700, 2500, 6000]
            let pool = (0..<9000).map { _ in generator.next() }
            for _ in 0..<40 {
                let parts = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                    let size = sizes.randomElement(using: &generator)!
                    return Self.sketch((0..<size).map { _ in pool.randomElement(using: &generator)! })
                }
                let merged = parts.reduce(into: VisitorSketch()) { $0.merge($1) }
                // The cast with parameters checks that ours are theirs.
                let ours = parts.map(\.bytes)
                let union: SQL = "(SELECT hll_union_agg(b::hll(13, 5, 128, 1)) FROM unnest(\(ours)) AS b)"
                Self.compare(merged, with: try Self.ask(connection, union), "\(generator)")
                let pair: SQL = "hll_union(\(ours[0])::bytea::hll, \(merged.bytes)::bytea::hll)"
                Self.compare(merged, with: try Self.ask(connection, pair), "\(generator)")
            }
        }
    }

    /// What is accepted means the same to the extension.
    @Test func mutatedBytesMeanTheSameOrAreRefused() async throws {
        try await withExtension { connection in
            var generator = SeededGenerator()
            let originals = [1, 100, 129, 1000, 5000].map { count in
                Self.sketch((0..<count).map { _ in generator.next() }).bytes
            }
            var accepted = 0
            for _ in 0..<400 {
                var bytes = originals.randomElement(using: &generator)!
                bytes[Int.random(in: 3..<bytes.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
                guard let sketch = try? VisitorSketch(bytes: bytes) else { continue }
                accepted += 1
                let theirs = try Self.ask(connection, "hll_union(\(bytes)::bytea::hll, hll_empty(13, 5, 128, 1))")
                Self.compare(sketch, with: theirs, "\(generator)")
            }
            #expect(accepted > 50)
        }
    }
}

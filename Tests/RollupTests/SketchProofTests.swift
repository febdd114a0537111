import TestSupport
import Testing

@testable import Core
@testable import Rollup

/// Seeing visitors one after the other says what building their sketch and comparing its bytes says.
@Suite struct SketchProofTests {
    /// - Parameter parts: in how many parts the visitors of a group come.
    private func agrees(_ bytes: [UInt8], _ visitors: [UInt64], parts: Int = 1) -> Bool {
        var proof = SketchProof()
        // Between two others, which nobody is seen in.
        let empty = VisitorSketch().bytes
        #expect(empty.withUnsafeBytes { proof.add($0, of: 1) })
        guard bytes.withUnsafeBytes({ proof.add($0, of: 3) }) else { return false }
        #expect(empty.withUnsafeBytes { proof.add($0, of: 5) })
        let groups = Dictionary(grouping: visitors + visitors.reversed()) { SketchProof.group(of: $0) }
        for part in 0..<parts {
            for (group, visitors) in groups {
                proof.begin(group, comesAgain: part < parts - 1, maxSeen: visitors.count)
                var seen: Set<UInt64> = []
                for (index, visitor) in visitors.enumerated() where index % parts == part {
                    // Of half of them it is known whether they were seen already.
                    let isKnown = visitor.nonzeroBitCount % 2 == 0
                    if isKnown, !seen.insert(visitor).inserted { continue }
                    proof.see(3, visitor, VisitorSketch.register(of: visitor)?.value ?? 0, isNew: isKnown)
                }
                proof.end()
            }
        }
        return proof.agrees
    }

    private func sketch(_ visitors: [UInt64]) -> VisitorSketch {
        visitors.reduce(into: VisitorSketch()) { $0.add(hash: $1) }
    }

    private static let counts = [0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 130, 140, 200, 1000, 2600, 2700, 20_000]

    @Test(arguments: counts) func aSketchIsThatOfItsVisitorsAlone(count: Int) {
        var random = SeededGenerator()
        print("\(random)")
        let visitors = (0..<count).map { _ in UInt64.random(in: 0 ... .max, using: &random) }
        let bytes = sketch(visitors).bytes
        for parts in 1...3 { #expect(agrees(bytes, visitors, parts: parts)) }
        for _ in 0..<20 {
            var others = visitors
            switch Int.random(in: 0..<3, using: &random) {
            case 0: others.append(UInt64.random(in: 0 ... .max, using: &random))
            case 1: if !others.isEmpty { others.remove(at: Int.random(in: others.indices, using: &random)) }
            default: if !others.isEmpty { others[Int.random(in: others.indices, using: &random)] ^= 1 << 40 }
            }
            #expect(agrees(bytes, others, parts: 2) == (sketch(others).bytes == bytes), "\(random)")
        }
    }

    @Test(arguments: counts) func bytesThatAnotherSketchHasOrNoneAreNotThose(count: Int) {
        var random = SeededGenerator()
        print("\(random)")
        let visitors = (0..<count).map { _ in UInt64.random(in: 0 ... .max, using: &random) }
        let bytes = sketch(visitors).bytes
        for place in [0, 1, 2] + (0..<60).map({ _ in Int.random(in: 0..<bytes.count, using: &random) }) {
            var others = bytes
            others[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(!agrees(others, visitors), "\(random), byte \(place)")
        }
        #expect(!agrees(bytes.dropLast(), visitors))
        #expect(!agrees(bytes + [0], visitors))
        #expect(!agrees([], visitors))
    }

    /// Few registers may be those of few visitors, who would be kept as they are.
    @Test func registersOfVisitorsWhoWouldBeKeptAsTheyAreAreNotTheirs() {
        // All of them in three registers.
        let visitors = (0..<UInt64(129)).map { ($0 + 1) << 20 | $0 % 3 }
        let bytes = sketch(visitors).bytes
        #expect(bytes[0] & 0xf == 3)
        #expect(agrees(bytes, visitors))
        let reaching = visitors.filter { visitor in
            !agrees(bytes, visitors.filter { $0 != visitor })
        }
        #expect(reaching.count == 129, "each is needed to make them so many")
    }

    /// A sketch that the extension wrote in another than the shortest type is not what is written here.
    @Test func aLongerEncodingIsNotTheSketchs() {
        let few = sketch(Array(1...3 as ClosedRange<UInt64>).map { $0 << 30 | $0 })
        let registers = (0..<UInt64(200)).map { ($0 + 1) << 20 | $0 }
        let sparse = sketch(registers).bytes
        #expect(agrees(sparse, registers))
        var full: [UInt8] = [sparse[0] & 0xf0 | 4, sparse[1], sparse[2]]
        full += [UInt8](repeating: 0, count: VisitorSketch.maxBytes - 3)
        #expect(!agrees(full, []))
        #expect(!agrees([few.bytes[0], few.bytes[1], few.bytes[2]], []))
    }

    /// Nothing is known of how values are spread; 0 and what raises no register are among them.
    @Test func valuesMayLieAnyhow() {
        let values: [UInt64] = [0, 1, .max, .max - 1, 1 << 63, (1 << 63) - 1, 5, 8191] + (1...100).map { 1 << 63 | $0 }
        let bytes = sketch(values).bytes
        #expect(agrees(bytes, values))
        for value in values {
            #expect(!agrees(bytes, values.filter { $0 != value }))
            #expect(!agrees(bytes, values + [value ^ 1 << 20]))
        }
        let many = values + (0..<500).map { ($0 + 1) << 20 | $0 }
        #expect(agrees(sketch(many).bytes, many + [3]))
    }
}

/// How many distinct visitors: exact up to 128, then HyperLogLog with a standard error of 1.15 %.
///
/// The bytes are those of postgresql-hll's `hll(13, 5, 128, 1)` (docs/formats.md, "Visitor sketch"): for the same values
/// equal to what the extension writes, and castable to `hll` there. They depend on the set of values alone, never on
/// the order in which values were added or sketches merged.
package struct VisitorSketch: Sendable {
    /// The most values that are kept as they are. One more, and every value is folded into the registers.
    package static let maxExactValues = 128

    static let log2Registers = 13
    package static let registerCount = 1 << log2Registers
    static let registerBits = 5
    static let maxRegister: UInt8 = (1 << registerBits) - 1

    /// The exact values, by open addressing: a power of two of slots, at most three quarters full, 0 where free.
    /// The value 0 itself is `holdsZero`. Without storage while empty and once there are registers.
    private(set) var slots: [UInt64] = []
    private(set) var holdsZero = false
    private var exactCount = 0
    /// One byte a register; empty while the values are exact.
    private(set) var registers: [UInt8] = []

    /// The empty set.
    package init() {}

    init(registers: [UInt8]) {
        self.registers = registers
    }

    package var isExact: Bool { registers.isEmpty }

    package var isEmpty: Bool { isExact && exactCount == 0 }

    /// How many values are kept exactly: the cardinality, or 0 once there are registers.
    var exactValueCount: Int { exactCount }

    /// Adds a value by its hash, `Murmur3.hash64` of its text.
    package mutating func add(hash: UInt64) {
        if registers.isEmpty {
            addExact(hash)
        } else {
            guard let (index, value) = Self.register(of: hash) else { return }
            if registers[index] < value { registers[index] = value }
        }
    }

    /// Which register a value raises, and how high; nil for one that raises none.
    @inline(__always)
    package static func register(of hash: UInt64) -> (index: Int, value: UInt8)? {
        let rest = hash >> UInt64(log2Registers)
        guard rest != 0 else { return nil }
        let value = UInt8(truncatingIfNeeded: min(rest.trailingZeroBitCount + 1, Int(maxRegister)))
        return (Int(truncatingIfNeeded: hash) & (registerCount - 1), value)
    }

    /// Adds everything that `other` holds.
    package mutating func merge(_ other: VisitorSketch) {
        if isEmpty {
            self = other
        } else if other.isExact {
            other.forEachExactValue { add(hash: $0) }
        } else if isExact {
            let own = self
            self = other
            own.forEachExactValue { add(hash: $0) }
        } else {
            registers.withUnsafeMutableBufferPointer { mine in
                other.registers.withUnsafeBufferPointer { theirs in
                    for index in 0..<Self.registerCount { mine[index] = max(mine[index], theirs[index]) }
                }
            }
        }
    }

    func forEachExactValue(_ body: (UInt64) -> Void) {
        if holdsZero { body(0) }
        for value in slots where value != 0 { body(value) }
    }

    func containsExact(_ hash: UInt64) -> Bool {
        if hash == 0 { return holdsZero }
        if slots.isEmpty { return false }
        return slots[slot(of: hash)] == hash
    }

    /// Where `hash` is, or would go.
    private func slot(of hash: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 && slots[slot] != hash { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func addExact(_ hash: UInt64) {
        if hash == 0 {
            if holdsZero { return }
            if exactCount == Self.maxExactValues { return promote(adding: hash) }
            holdsZero = true
            exactCount += 1
            return
        }
        if slots.isEmpty { slots = [UInt64](repeating: 0, count: 8) }
        var slot = slot(of: hash)
        if slots[slot] == hash { return }
        if exactCount == Self.maxExactValues { return promote(adding: hash) }
        if (exactCount + 1) * 4 > slots.count * 3 {
            let values = slots
            // 8, 32, 128, 256
            slots = [UInt64](repeating: 0, count: min(values.count * 4, 256))
            for value in values where value != 0 { slots[self.slot(of: value)] = value }
            slot = self.slot(of: hash)
        }
        slots[slot] = hash
        exactCount += 1
    }

    private mutating func promote(adding hash: UInt64) {
        let exact = self
        self = VisitorSketch(registers: [UInt8](repeating: 0, count: Self.registerCount))
        exact.forEachExactValue { add(hash: $0) }
        add(hash: hash)
    }
}

extension VisitorSketch: Equatable {
    package static func == (left: VisitorSketch, right: VisitorSketch) -> Bool {
        guard left.exactCount == right.exactCount, left.registers == right.registers else { return false }
        var equal = true
        left.forEachExactValue { equal = equal && right.containsExact($0) }
        return equal
    }
}

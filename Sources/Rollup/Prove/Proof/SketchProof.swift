import Core

/// Proves that the sketches of stored rows are those of the visitors that raw beacons give.
///
/// By sums of hashes, one of each row and visitor, or of each row, register and value: nothing is kept of a sketch that is
/// stored. What is seen comes group by group of visitors who raise the same register, so that what a row has of them is in
/// the processor's nearest cache, and only what is distinct is added.
struct SketchProof {
    /// Visitors of one register: of one group.
    static let groups = VisitorSketch.registerCount

    static func group(of visitor: UInt64) -> Int { Int(truncatingIfNeeded: visitor) & (groups - 1) }

    private struct Sums: Equatable {
        var visitors: UInt64 = 0
        var registers: UInt64 = 0
    }

    private var stored = Sums()
    private var seen = Sums()
    private var contents = SketchContents()

    // MARK: Rows whose sketches have registers

    private var rows: [UInt64] = []
    /// By a row's hash, by open addressing: numbers + 1, 0 where free; a power of two of places, at most half of them taken.
    private var places = [Int32](repeating: 0, count: 64)
    /// Of the hashes of such rows: most others are told apart by a bit.
    private var bits = [UInt64](repeating: 0, count: (bitMask + 1) / 64)
    private static let bitMask = 1 << 17 - 1
    /// Of a row whose registers could be those of a few visitors: whether these were too many to be kept as they are is only
    /// known by counting them.
    private var few: [Int32: VisitorSketch] = [:]
    private var isFew: [Bool] = []

    // MARK: The group at hand

    private var group = 0
    private var comesAgain = false
    /// By row with registers.
    private var highest: [UInt8] = []
    /// The rows with registers that a visitor of the group raised.
    private var raised: [Int32] = []
    private var pairs = HashSet()
    /// Whether what is new is looked for among `pairs`, too.
    private var keepsPairs = false

    /// What was added of a group so far, where it comes again.
    private struct Known {
        var pairs: [UInt64] = []
        var registers: [(row: Int32, value: UInt8)] = []
    }

    private var known: [Known?] = Array(repeating: nil, count: groups)

    /// Adds a stored row's sketch; false where it is none.
    mutating func add(_ bytes: UnsafeRawBufferPointer, of row: UInt64) -> Bool {
        guard contents.read(bytes) else { return false }
        if contents.isExact {
            for value in contents.values { stored.visitors &+= RowHash.visitor(row, value) }
            return true
        }
        let number = Int32(rows.count)
        guard self.number(of: row) == nil else { return false }
        rows.append(row)
        if rows.count * 2 > places.count { grow() } else { places[place(of: row)] = number + 1 }
        highest.append(0)
        let bit = Self.bit(of: row)
        bits[bit >> 6] |= 1 << UInt64(bit & 63)
        let isFew = contents.registers.count <= VisitorSketch.maxExactValues
        self.isFew.append(isFew)
        if isFew { few[number] = VisitorSketch() }
        for register in contents.registers {
            stored.registers &+= RowHash.register(row, Int(register.index), register.value)
        }
        return true
    }

    private static func bit(of row: UInt64) -> Int { Int(truncatingIfNeeded: row >> 40) & bitMask }

    /// Where the row is, or would go.
    @inline(__always)
    private func place(of row: UInt64) -> Int {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: row >> 1) & mask
        while places[place] != 0, rows[Int(places[place] - 1)] != row { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        places = [Int32](repeating: 0, count: places.count * 2)
        for (number, row) in rows.enumerated() { places[place(of: row)] = Int32(number) + 1 }
    }

    /// The number of a row whose sketch has registers.
    @inline(__always)
    func number(of row: UInt64) -> Int32? {
        let number = places[place(of: row)]
        return number == 0 ? nil : number - 1
    }

    // MARK: What raw beacons give

    /// - Parameters:
    ///   - comesAgain: more may be seen of the group's visitors after `end`.
    ///   - maxSeen: how often something will be seen until then.
    mutating func begin(_ group: Int, comesAgain: Bool, maxSeen: Int) {
        self.group = group
        self.comesAgain = comesAgain
        let before = known[group]
        keepsPairs = comesAgain || before != nil
        pairs.removeAll(for: maxSeen + (before?.pairs.count ?? 0))
        guard let before else { return }
        known[group] = nil
        for pair in before.pairs { _ = pairs.insert(pair) }
        for (row, value) in before.registers {
            highest[Int(row)] = value
            raised.append(row)
            seen.registers &-= RowHash.register(rows[Int(row)], group, value)
        }
    }

    /// - Parameters:
    ///   - visitor: of the group.
    ///   - register: how high the visitor raises it; 0 for not at all.
    ///   - isNew: the visitor was not seen in the row since `begin`, and won't be without this.
    @inline(__always)
    mutating func see(_ row: UInt64, _ visitor: UInt64, _ register: UInt8, isNew: Bool) {
        let bit = Self.bit(of: row)
        if bits[bit >> 6] & 1 << UInt64(bit & 63) != 0, let number = number(of: row) {
            see(number: number, visitor, register)
        } else {
            let pair = RowHash.visitor(row, visitor)
            if isNew && !keepsPairs || pairs.insert(pair) { seen.visitors &+= pair }
        }
    }

    @inline(__always)
    mutating func see(number: Int32, _ visitor: UInt64, _ register: UInt8) {
        let before = highest[Int(number)]
        if register > before {
            if before == 0 { raised.append(number) }
            highest[Int(number)] = register
        }
        if isFew[Int(number)] { few[number]!.add(hash: visitor) }
    }

    mutating func end() {
        for number in raised { seen.registers &+= RowHash.register(rows[Int(number)], group, highest[Int(number)]) }
        if comesAgain {
            known[group] = Known(
                pairs: pairs.hashes, registers: raised.map { (row: $0, value: highest[Int($0)]) })
        }
        for number in raised { highest[Int(number)] = 0 }
        raised.removeAll(keepingCapacity: true)
    }

    var agrees: Bool { stored == seen && few.values.allSatisfy { !$0.isExact } }
}

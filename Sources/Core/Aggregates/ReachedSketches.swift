/// Encoded sketches, and which of their values and registers some visitor has reached.
///
/// Where every visitor is held and everything is reached, the bytes are those of a sketch of these visitors: what building it
/// and comparing would tell, in the memory that the bytes take, and without looking twice at what comes again.
package struct ReachedSketches {
    /// A visitor, and the number of a sketch that must hold it.
    package struct Sighting: BitwiseCopyable {
        package var visitor: UInt64
        package var sketch: Int32

        package init(_ visitor: UInt64, in sketch: Int32) {
            self.visitor = visitor
            self.sketch = sketch
        }
    }

    private struct Sketch {
        /// Where its values begin among `words`, its registers among `registers`, or it itself among `counted`.
        var start: Int
        /// How many values it has; or one of those below.
        var count: Int
    }

    /// In place of a count.
    private static let hasRegisters = -1
    private static let isCounted = -2
    /// Set in a register that was reached.
    private static let reached: UInt8 = 0x80
    /// Makes signed integers, by which values ascend, unsigned ones in the same order.
    private static let sign: UInt64 = 1 << 63

    private var sketches: [Sketch] = []
    /// A sketch's values, ascending, then a bit for each that was reached, over and over.
    private var words: [UInt64] = []
    /// One byte a register.
    private var registers: [UInt8] = []
    /// Those whose registers could be a few values': whether those were too many to be kept as they are is only known by
    /// counting them.
    private var counted: [(sketch: VisitorSketch, bytes: [UInt8])] = []

    /// Of no use but that it was read.
    private var fetched: UInt64 = 0

    package init() {}

    package var count: Int { sketches.count }

    /// Adds one, with the next number; false where no sketch has these bytes.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if let values = VisitorSketch.explicitValues(bytes) { return add(values: values) }
        guard let sketch = try? VisitorSketch(bytes: bytes), sketch.isEncoded(inShortestOf: bytes) else { return false }
        guard !sketch.isExact else {
            sketches.append(Sketch(start: words.count, count: 0))
            return true
        }
        if sketch.filledCount <= VisitorSketch.maxExactValues {
            sketches.append(Sketch(start: counted.count, count: Self.isCounted))
            counted.append((VisitorSketch(), Array(bytes)))
        } else {
            sketches.append(Sketch(start: registers.count, count: Self.hasRegisters))
            registers += sketch.registers
        }
        return true
    }

    /// - Parameter values: big-endian.
    private mutating func add(values: UnsafeRawBufferPointer) -> Bool {
        let count = values.count / 8
        sketches.append(Sketch(start: words.count, count: count))
        var previous: UInt64?
        for offset in stride(from: 0, to: values.count, by: 8) {
            let value =
                UInt64(bigEndian: values.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ Self.sign
            if let previous, value <= previous { return false }
            previous = value
            words.append(value)
        }
        for _ in 0..<(count + 63) / 64 { words.append(0) }
        return true
    }

    /// How many are seen together.
    static let maxFetched = 128

    /// False where some sketch would be another with the visitor that was seen.
    package mutating func see(_ sightings: Span<Sighting>) -> Bool {
        for start in stride(from: 0, to: sightings.count, by: Self.maxFetched) {
            let end = min(start + Self.maxFetched, sightings.count)
            fetch(sightings, start..<end)
            for index in start..<end where !see(sightings[index].visitor, in: Int(sightings[index].sketch)) {
                return false
            }
        }
        return true
    }

    /// Each is somewhere else in memory, which is asked for all of them at once: one after the other they would be waited for.
    private mutating func fetch(_ sightings: Span<Sighting>, _ range: Range<Int>) {
        for index in range { fetched ^= UInt64(truncatingIfNeeded: sketches[Int(sightings[index].sketch)].start) }
        for index in range {
            let sketch = sketches[Int(sightings[index].sketch)]
            let visitor = sightings[index].visitor
            if sketch.count > 0 {
                fetched ^= words[sketch.start + Self.guess(visitor ^ Self.sign, of: sketch.count)]
            } else if sketch.count == Self.hasRegisters {
                fetched ^= UInt64(registers[sketch.start + (VisitorSketch.register(of: visitor)?.index ?? 0)])
            }
        }
    }

    private mutating func see(_ hash: UInt64, in number: Int) -> Bool {
        let sketch = sketches[number]
        if sketch.count >= 0 { return seeValue(hash, sketch) }
        if sketch.count == Self.isCounted {
            counted[sketch.start].sketch.add(hash: hash)
            return true
        }
        guard let (register, value) = VisitorSketch.register(of: hash) else { return true }
        let own = registers[sketch.start + register]
        if value == own { registers[sketch.start + register] = own | Self.reached }
        return value <= own & ~Self.reached
    }

    /// Hashes are spread: a value is near where it would be if they were spread evenly.
    private static func guess(_ value: UInt64, of count: Int) -> Int {
        Int(truncatingIfNeeded: value.multipliedFullWidth(by: UInt64(count)).high)
    }

    private mutating func seeValue(_ hash: UInt64, _ sketch: Sketch) -> Bool {
        guard sketch.count > 0 else { return false }
        let value = hash ^ Self.sign
        let start = sketch.start
        let end = start + sketch.count
        var place = start + Self.guess(value, of: sketch.count)
        while words[place] < value {
            place += 1
            if place == end { return false }
        }
        while words[place] > value {
            if place == start { return false }
            place -= 1
        }
        guard words[place] == value else { return false }
        let number = place - start
        words[end + number >> 6] |= 1 << UInt64(number & 63)
        return true
    }

    /// Whether everything was reached.
    package var areReached: Bool { sketches.allSatisfy { isReached($0) } }

    private func isReached(_ sketch: Sketch) -> Bool {
        switch sketch.count {
        case Self.hasRegisters:
            return registers[sketch.start..<sketch.start + VisitorSketch.registerCount].allSatisfy {
                $0 == 0 || $0 & Self.reached != 0
            }
        case Self.isCounted:
            let (sketch, bytes) = counted[sketch.start]
            return bytes.withUnsafeBytes { sketch.isEncoded(as: $0) }
        default:
            let marks = words[sketch.start + sketch.count..<sketch.start + sketch.count + (sketch.count + 63) / 64]
            return marks.reduce(0) { $0 + $1.nonzeroBitCount } == sketch.count
        }
    }
}

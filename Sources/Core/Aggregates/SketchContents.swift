/// What an encoded sketch holds, one by one, without making the sketch; read again and again in the same memory.
package struct SketchContents {
    package struct Register: BitwiseCopyable {
        package var index: UInt16
        package var value: UInt8
    }

    /// The values of one that holds them as they are, ascending as signed integers.
    package private(set) var values: [UInt64] = []
    /// The registers that have a value, ascending, of one that has registers.
    package private(set) var registers: [Register] = []
    package private(set) var isExact = true

    package init() {}

    /// False where no sketch is encoded as these bytes: then what is held means nothing.
    package mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
        values.removeAll(keepingCapacity: true)
        registers.removeAll(keepingCapacity: true)
        isExact = true
        if let values = VisitorSketch.explicitValues(bytes) { return read(values: values) }
        if VisitorSketch.isEmpty(bytes) { return true }
        isExact = false
        if let packed = VisitorSketch.sparseRegisters(bytes) {
            return read(sparse: packed) && VisitorSketch.isSparse(filled: registers.count)
        }
        guard let packed = VisitorSketch.fullRegisters(bytes) else { return false }
        read(full: packed)
        return !VisitorSketch.isSparse(filled: registers.count)
    }

    private mutating func read(values bytes: UnsafeRawBufferPointer) -> Bool {
        var previous = Int64.min
        for offset in stride(from: 0, to: bytes.count, by: 8) {
            let value = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let signed = Int64(bitPattern: value)
            if offset > 0, signed <= previous { return false }
            previous = signed
            values.append(value)
        }
        return true
    }

    private mutating func read(sparse bytes: UnsafeRawBufferPointer) -> Bool {
        let width = VisitorSketch.log2Registers + VisitorSketch.registerBits
        var pending: UInt64 = 0
        var bits = 0
        var next = 0
        for byte in bytes {
            pending = pending << 8 | UInt64(byte)
            bits += 8
            guard bits >= width else { continue }
            bits -= width
            let word = pending >> UInt64(bits)
            pending &= 1 << UInt64(bits) - 1
            let index = Int(word >> UInt64(VisitorSketch.registerBits))
            let value = UInt8(truncatingIfNeeded: word) & VisitorSketch.maxRegister
            guard index >= next, value != 0 else { return false }
            registers.append(Register(index: UInt16(truncatingIfNeeded: index), value: value))
            next = index + 1
        }
        return pending == 0
    }

    private mutating func read(full bytes: UnsafeRawBufferPointer) {
        var pending: UInt64 = 0
        var bits = 0
        var index: UInt16 = 0
        for byte in bytes {
            pending = pending << 8 | UInt64(byte)
            bits += 8
            while bits >= VisitorSketch.registerBits {
                bits -= VisitorSketch.registerBits
                let value = UInt8(truncatingIfNeeded: pending >> UInt64(bits)) & VisitorSketch.maxRegister
                if value != 0 { registers.append(Register(index: index, value: value)) }
                index += 1
            }
            pending &= 1 << UInt64(bits) - 1
        }
    }
}

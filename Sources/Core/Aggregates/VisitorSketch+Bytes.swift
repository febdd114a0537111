// The byte format of postgresql-hll: hll-storage-spec 1.0.0, docs/formats.md "Visitor sketch".
extension VisitorSketch {
    private enum Kind: UInt8 {
        case empty = 1
        case explicit = 2
        case sparse = 3
        case full = 4
    }

    private static let version: UInt8 = 1
    private static let parameters = UInt8(registerBits - 1) << 5 | UInt8(log2Registers)
    /// Sparse storage on; explicit up to 2^(8 - 1) values.
    private static let cutoff: UInt8 = 1 << 6 | 8
    private static let headerBytes = 3
    private static let fullBytes = registerCount * registerBits / 8
    private static let sparseBits = log2Registers + registerBits

    /// The longest encoding there is.
    package static let maxBytes = headerBytes + fullBytes

    package init(bytes: [UInt8]) throws(SketchError) {
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(SketchError) in
            try VisitorSketch(bytes: UnsafeRawBufferPointer(buffer))
        }
    }

    /// Reads a sketch; also one that the extension wrote in another than the shortest type.
    package init(bytes: UnsafeRawBufferPointer) throws(SketchError) {
        guard bytes.count >= Self.headerBytes else { throw .truncated(count: bytes.count) }
        guard bytes[0] >> 4 == Self.version else { throw .unknownVersion(bytes[0] >> 4) }
        guard let kind = Kind(rawValue: bytes[0] & 0xf) else { throw .unknownType(bytes[0] & 0xf) }
        guard bytes[1] == Self.parameters, bytes[2] == Self.cutoff else {
            throw .otherParameters(bytes[1], cutoff: bytes[2])
        }
        let data = UnsafeRawBufferPointer(rebasing: bytes[Self.headerBytes...])
        switch kind {
        case .empty:
            guard data.isEmpty else { throw .wrongSize(count: bytes.count) }
            self.init()
        case .explicit:
            guard data.count % 8 == 0, data.count <= Self.maxExactValues * 8 else {
                throw .wrongSize(count: bytes.count)
            }
            try self.init(explicit: data)
        case .sparse:
            // Longer than full is never written: it would not be the shorter of the two.
            guard data.count <= Self.fullBytes, data.count * 8 % Self.sparseBits < 8 else {
                throw .wrongSize(count: bytes.count)
            }
            try self.init(sparse: data)
        case .full:
            guard data.count == Self.fullBytes else { throw .wrongSize(count: bytes.count) }
            self.init(full: data)
        }
    }

    private init(explicit data: UnsafeRawBufferPointer) throws(SketchError) {
        self.init()
        var previous: Int64?
        for offset in stride(from: 0, to: data.count, by: 8) {
            let value = UInt64(bigEndian: data.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let signed = Int64(bitPattern: value)
            if let previous, signed <= previous { throw .malformed }
            previous = signed
            add(hash: value)
        }
    }

    private init(sparse data: UnsafeRawBufferPointer) throws(SketchError) {
        var registers = [UInt8](repeating: 0, count: Self.registerCount)
        var pending: UInt32 = 0
        var pendingBits = 0
        var next = 0
        for byte in data {
            pending = pending << 8 | UInt32(byte)
            pendingBits += 8
            guard pendingBits >= Self.sparseBits else { continue }
            pendingBits -= Self.sparseBits
            let word = pending >> UInt32(pendingBits)
            pending &= (1 << UInt32(pendingBits)) - 1
            let index = Int(word >> UInt32(Self.registerBits))
            let value = UInt8(truncatingIfNeeded: word) & Self.maxRegister
            guard index >= next, value != 0 else { throw .malformed }
            registers[index] = value
            next = index + 1
        }
        guard pending == 0 else { throw .malformed }
        self.init(registers: registers)
    }

    private init(full data: UnsafeRawBufferPointer) {
        self.init(
            registers: [UInt8](unsafeUninitializedCapacity: Self.registerCount) { buffer, count in
                let out = UnsafeMutableRawBufferPointer(buffer)
                for group in 0..<Self.registerCount / 8 {
                    // Five bytes hold eight registers. The last five are loaded with the three before them.
                    let offset = group * 5
                    let word =
                        offset + 8 <= data.count
                        ? UInt64(bigEndian: data.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) >> 24
                        : UInt64(bigEndian: data.loadUnaligned(fromByteOffset: offset - 3, as: UInt64.self))
                    out.storeBytes(
                        of: Self.spread(word & 0xff_ffff_ffff).bigEndian, toByteOffset: group * 8, as: UInt64.self)
                }
                count = Self.registerCount
            })
    }

    /// Eight groups of five bits, the first in the highest, into the low bits of eight bytes.
    private static func spread(_ packed: UInt64) -> UInt64 {
        var x = packed
        x = (x << 12 & 0x000f_ffff_0000_0000) | (x & 0x000f_ffff)
        x = (x << 6 & 0x03ff_0000_03ff_0000) | (x & 0x0000_03ff_0000_03ff)
        return (x << 3 & 0x1f00_1f00_1f00_1f00) | (x & 0x001f_001f_001f_001f)
    }

    private static func gather(_ spread: UInt64) -> UInt64 {
        var x = spread
        x = (x & 0x1f00_1f00_1f00_1f00) >> 3 | (x & 0x001f_001f_001f_001f)
        x = (x & 0x03ff_0000_03ff_0000) >> 6 | (x & 0x0000_03ff_0000_03ff)
        return (x & 0x000f_ffff_0000_0000) >> 12 | (x & 0x000f_ffff)
    }

    /// The encoding: empty, explicit, or the shorter of sparse and full.
    package var bytes: [UInt8] {
        switch kind {
        case .empty, .explicit: exactBytes
        case .sparse: sparseBytes(filled: filledCount)
        case .full: fullBytes
        }
    }

    /// The one that it is encoded as.
    private var kind: Kind {
        if isExact { return exactValueCount == 0 ? .empty : .explicit }
        return Self.isSparse(filled: filledCount) ? .sparse : .full
    }

    /// Whether so many registers with a value are encoded one by one: the shorter of the two.
    static func isSparse(filled: Int) -> Bool { filled * sparseBits < registerCount * registerBits }

    /// How many registers have a value.
    var filledCount: Int {
        var count = 0
        for register in registers { count += register == 0 ? 0 : 1 }
        return count
    }

    /// What an explicit sketch, and no empty one, has after its header; nil for another. Whether it ascends is not looked at.
    static func explicitValues(_ encoding: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let count = encoding.count - headerBytes
        guard count > 0, count % 8 == 0, count <= maxExactValues * 8, has(.explicit, encoding) else { return nil }
        return UnsafeRawBufferPointer(rebasing: encoding[headerBytes...])
    }

    static func isEmpty(_ encoding: UnsafeRawBufferPointer) -> Bool {
        encoding.elementsEqual(header(.empty))
    }

    /// What a sparse sketch has after its header; nil for another.
    static func sparseRegisters(_ encoding: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let count = encoding.count - headerBytes
        guard count >= 0, count <= fullBytes, count * 8 % sparseBits < 8, has(.sparse, encoding) else { return nil }
        return UnsafeRawBufferPointer(rebasing: encoding[headerBytes...])
    }

    /// What a full sketch has after its header; nil for another.
    static func fullRegisters(_ encoding: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard encoding.count == maxBytes, has(.full, encoding) else { return nil }
        return UnsafeRawBufferPointer(rebasing: encoding[headerBytes...])
    }

    /// - Precondition: there are as many bytes as a header has.
    private static func has(_ kind: Kind, _ encoding: UnsafeRawBufferPointer) -> Bool {
        encoding[0] == version << 4 | kind.rawValue && encoding[1] == parameters && encoding[2] == cutoff
    }

    private static func header(_ kind: Kind) -> [UInt8] {
        [version << 4 | kind.rawValue, parameters, cutoff]
    }

    private var exactBytes: [UInt8] {
        if exactValueCount == 0 { return Self.header(.empty) }
        var values: [Int64] = []
        values.reserveCapacity(exactValueCount)
        forEachExactValue { values.append(Int64(bitPattern: $0)) }
        values.sort()
        var bytes = Self.header(.explicit)
        bytes.reserveCapacity(Self.headerBytes + values.count * 8)
        for value in values { withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) } }
        return bytes
    }

    private func sparseBytes(filled: Int) -> [UInt8] {
        var bytes = Self.header(.sparse)
        bytes.reserveCapacity(Self.headerBytes + (filled * Self.sparseBits + 7) / 8)
        var pending: UInt32 = 0
        var pendingBits = 0
        for (index, value) in registers.enumerated() where value != 0 {
            pending = pending << UInt32(Self.sparseBits) | UInt32(index << Self.registerBits) | UInt32(value)
            pendingBits += Self.sparseBits
            while pendingBits >= 8 {
                pendingBits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits)))
            }
        }
        if pendingBits > 0 { bytes.append(UInt8(truncatingIfNeeded: pending << UInt32(8 - pendingBits))) }
        return bytes
    }

    private var fullBytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.maxBytes + 3) { buffer, count in
            let out = UnsafeMutableRawBufferPointer(buffer)
            out.copyBytes(from: Self.header(.full))
            registers.withUnsafeBytes { registers in
                // Each group writes three zero bytes too many, which the next overwrites; the last one's lie past the end.
                for group in 0..<Self.registerCount / 8 {
                    let word = UInt64(bigEndian: registers.load(fromByteOffset: group * 8, as: UInt64.self))
                    out.storeBytes(
                        of: (Self.gather(word) << 24).bigEndian, toByteOffset: Self.headerBytes + group * 5,
                        as: UInt64.self)
                }
            }
            count = Self.maxBytes
        }
    }
}

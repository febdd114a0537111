/// A known number of signed integers: what is above their least, or what each step is above the least step, whichever is
/// shorter.
///
/// `0 | least i64 | packed`, or `1 | first i64 | least step i64 | packed` with one integer fewer. Nothing where the
/// number is 0. Differences are taken modulo 2⁶⁴, so that every 64-bit integer has one.
enum IntegerSeries {
    private enum Kind: UInt8 {
        case offsets = 0
        case steps = 1
    }

    /// Both ways of encoding, and which is shorter.
    struct Plan: ~Copyable {
        private let kind: Kind
        private let header: [Int64]
        private let residuals: [UInt64]
        private let packing: PackedIntegers.Plan

        var byteCount: Int { 1 + header.count * 8 + packing.byteCount }

        /// - Precondition: at least one value.
        init(_ values: Span<Int64>) {
            let first = values[0]
            var least = first
            var leastStep = Int64.max
            for index in 1..<max(1, values.count) {
                least = min(least, values[index])
                leastStep = min(leastStep, values[index] &- values[index - 1])
            }
            var offsets: [UInt64] = []
            offsets.reserveCapacity(values.count)
            for index in values.indices { offsets.append(UInt64(bitPattern: values[index] &- least)) }
            let offsetPacking = PackedIntegers.Plan(offsets.span)

            var steps: [UInt64] = []
            steps.reserveCapacity(values.count)
            for index in 1..<max(1, values.count) {
                steps.append(UInt64(bitPattern: values[index] &- values[index - 1] &- leastStep))
            }
            let stepPacking = PackedIntegers.Plan(steps.span)

            if values.count == 1 || offsetPacking.byteCount <= stepPacking.byteCount + 8 {
                kind = .offsets
                header = [least]
                residuals = offsets
                packing = offsetPacking
            } else {
                kind = .steps
                header = [first, leastStep]
                residuals = steps
                packing = stepPacking
            }
        }

        func append(to bytes: inout [UInt8]) {
            bytes.append(kind.rawValue)
            for value in header { bytes.append(littleEndian: value) }
            PackedIntegers.append(residuals.span, as: packing, to: &bytes)
        }
    }

    static func append(_ values: Span<Int64>, to bytes: inout [UInt8]) {
        guard values.count > 0 else { return }
        Plan(values).append(to: &bytes)
    }

    /// - Parameter only: the places of the values to return, ascending; nil for all.
    static func read(
        count: Int, from reader: inout ByteReader, only: [Int]? = nil
    ) throws(CodecDefect) -> [Int64] {
        guard count > 0 else { return [] }
        guard let kind = Kind(rawValue: try reader.byte()) else { throw .outOfRange }
        let first = try reader.integer(Int64.self)
        switch kind {
        case .offsets:
            let packed = try PackedIntegers(count: count, from: &reader)
            if let only { return packed.words(only).map { Int64(bitPattern: $0) &+ first } }
            return unsafe [Int64](unsafeUninitializedCapacity: count) { buffer, initialized in
                let out = unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<count])
                unsafe out.withMemoryRebound(to: UInt64.self) { unsafe packed.unpack(into: $0) }
                for index in out.indices { unsafe out[index] &+= first }
                initialized = count
            }
        case .steps:
            let leastStep = try reader.integer(Int64.self)
            let packed = try PackedIntegers(count: count - 1, from: &reader)
            let values = unsafe [Int64](unsafeUninitializedCapacity: count) { buffer, initialized in
                unsafe buffer[0] = first
                let rest = unsafe UnsafeMutableBufferPointer(rebasing: buffer[1..<count])
                unsafe rest.withMemoryRebound(to: UInt64.self) { unsafe packed.unpack(into: $0) }
                var value = first
                for index in rest.indices {
                    unsafe value &+= leastStep &+ rest[index]
                    unsafe rest[index] = value
                }
                initialized = count
            }
            return only.map { only in only.map { values[$0] } } ?? values
        }
    }
}

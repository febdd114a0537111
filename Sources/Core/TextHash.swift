/// Hashes texts that come from outside, for tables in memory: nobody who doesn't know this process's keys can choose
/// texts that share a place.
///
/// Murmur3 can't do that, with no seed: whole families of texts collide under all of them. Multiplies and folds as wyhash
/// (Wang Yi, public domain) does; little-endian hosts. Never store what it returns.
package struct TextHash: Sendable {
    private static let keys = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    private let first: UInt64
    private let second: UInt64

    package init() {
        (first, second) = Self.keys
    }

    package func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = first
        var offset = 0
        while bytes.count - offset > 16 {
            state = Self.folded(word(bytes, offset) ^ second, word(bytes, offset + 8) ^ state)
            offset += 16
        }
        let left = bytes.count - offset
        var low: UInt64 = 0
        var high: UInt64 = 0
        if left >= 8 {
            low = word(bytes, offset)
            high = word(bytes, offset + left - 8)
        } else {
            for index in 0..<left { low |= UInt64(bytes[offset + index]) << UInt64(index * 8) }
        }
        return Self.folded(second ^ UInt64(bytes.count), Self.folded(low ^ second, high ^ state))
    }

    @inline(__always)
    private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    private static func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return high ^ low
    }
}

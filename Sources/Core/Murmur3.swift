/// MurmurHash3_x64_128 (Austin Appleby, public domain), little-endian hosts.
package enum Murmur3 {
    /// The seed of postgresql-hll's `hll_hash_bytea` and `hll_hash_text` when called without one.
    package static let hllSeed: UInt64 = 0

    /// The first 64 bits of the 128-bit hash: what `hll_hash_text` returns.
    package static func hash64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = hllSeed) -> UInt64 {
        hash128(bytes, seed: seed).0
    }

    package static func hash64(_ string: String, seed: UInt64 = hllSeed) -> UInt64 {
        var string = string
        return string.withUTF8 { hash64(UnsafeRawBufferPointer($0), seed: seed) }
    }

    package static func hash128(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> (UInt64, UInt64) {
        let c1: UInt64 = 0x87c3_7b91_1142_53d5
        let c2: UInt64 = 0x4cf5_ad43_2745_937f
        var h1 = seed
        var h2 = seed
        var offset = 0
        while offset + 16 <= bytes.count {
            var k1 = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            var k2 = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            k1 = rotate(k1 &* c1, 31) &* c2
            h1 ^= k1
            h1 = (rotate(h1, 27) &+ h2) &* 5 &+ 0x52dc_e729
            k2 = rotate(k2 &* c2, 33) &* c1
            h2 ^= k2
            h2 = (rotate(h2, 31) &+ h1) &* 5 &+ 0x3849_5ab5
            offset += 16
        }
        let tail = bytes.count - offset
        if tail > 8 { h2 ^= rotate(word(bytes, offset + 8, count: tail - 8) &* c2, 33) &* c1 }
        if tail > 0 { h1 ^= rotate(word(bytes, offset, count: min(tail, 8)) &* c1, 31) &* c2 }
        h1 ^= UInt64(bytes.count)
        h2 ^= UInt64(bytes.count)
        h1 = h1 &+ h2
        h2 = h2 &+ h1
        h1 = finalize(h1)
        h2 = finalize(h2)
        h1 = h1 &+ h2
        h2 = h2 &+ h1
        return (h1, h2)
    }

    /// The first 1 to 8 bytes of a word, read at once where there are so many before its end.
    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int, count: Int) -> UInt64 {
        if offset + count >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: offset + count - 8, as: UInt64.self)
            return word >> UInt64((8 - count) * 8)
        }
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(bytes[offset + index]) << UInt64(index * 8) }
        return word
    }

    private static func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 {
        (value << by) | (value >> (64 - by))
    }

    private static func finalize(_ value: UInt64) -> UInt64 {
        var k = value
        k ^= k >> 33
        k = k &* 0xff51_afd7_ed55_8ccd
        k ^= k >> 33
        k = k &* 0xc4ce_b9fe_1a85_ec53
        k ^= k >> 33
        return k
    }
}

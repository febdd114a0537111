/// A set of 64-bit hashes as bytes, by Elias and Fano: about 66 − log₂ n bits each (docs/formats.md, "Hash set run").
package enum HashSetRun {
    /// The most hashes in one run.
    package static let maxCount = 1 << 26
    private static let version: UInt8 = 1

    /// How many of a hash's high bits are told by its place: as many as let one bit tell whether the next hash is
    /// still in the same place. The rest is stored as it is.
    private static func highWidth(count: Int) -> Int {
        count == 0 ? 0 : Int.bitWidth - 1 - count.leadingZeroBitCount
    }

    /// `version u8 | count varint | low bits | places | CRC-32C u32`
    ///
    /// - Precondition: the hashes ascend and are distinct, at most `maxCount`.
    package static func encode(sorted hashes: [UInt64]) -> [UInt8] {
        SealedRun.seal(version: version, capacity: 16 + hashes.count * (67 - highWidth(count: hashes.count)) / 8) {
            append(sorted: hashes, to: &$0)
        }
    }

    /// `count varint | low bits | places`
    static func append(sorted hashes: [UInt64], to bytes: inout [UInt8]) {
        precondition(hashes.count <= maxCount)
        let highWidth = highWidth(count: hashes.count)
        let lowWidth = 64 - highWidth
        bytes.append(varint: hashes.count)
        let mask = UInt64.max >> UInt64(highWidth)
        var low: [UInt64] = []
        low.reserveCapacity(hashes.count)
        for hash in hashes { low.append(hash & mask) }
        BitPacking.append(low.span, width: lowWidth, to: &bytes)

        var places = [UInt8](repeating: 0, count: placeBytes(count: hashes.count, highWidth: highWidth))
        var previous: UInt64?
        for (index, hash) in hashes.enumerated() {
            precondition(previous.map { $0 < hash } ?? true)
            previous = hash
            let place = Int(hash >> UInt64(lowWidth)) + index
            places[place / 8] |= 1 << UInt8(place % 8)
        }
        bytes.append(contentsOf: places)
    }

    /// A bit for each hash, set, and one for each step to the next value of the high bits, clear.
    private static func placeBytes(count: Int, highWidth: Int) -> Int {
        count == 0 ? 0 : (count + (1 << highWidth) + 7) / 8
    }

    /// The hashes, ascending.
    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(SealedRun.Failure) -> [UInt64] {
        try unsafe SealedRun.open(bytes, version: version) { (reader) throws(CodecDefect) in try read(from: &reader) }
    }

    package static func decode(_ bytes: [UInt8]) throws(SealedRun.Failure) -> [UInt64] {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(SealedRun.Failure) in
            try unsafe decode(UnsafeRawBufferPointer(buffer))
        }
    }

    /// What `append` wrote.
    static func read(from reader: inout ByteReader) throws(CodecDefect) -> [UInt64] {
        let count = try reader.varint()
        guard count <= maxCount else { throw .tooLarge }
        let highWidth = highWidth(count: count)
        let lowWidth = 64 - highWidth
        let low = unsafe try reader.take(BitPacking.byteCount(count, width: lowWidth))
        let places = unsafe try reader.take(placeBytes(count: count, highWidth: highWidth))
        if count == 0 { return [] }

        var placed = 0
        for index in places.indices { placed += unsafe places[index].nonzeroBitCount }
        guard placed == count else { throw .outOfRange }
        var high = 0
        let hashes = unsafe [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
            let out = unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<count])
            unsafe BitPacking.unpack(low, width: lowWidth, into: out)
            var index = 0
            for byte in places.indices {
                var bits = unsafe places[byte]
                while bits != 0 {
                    high = byte &* 8 &+ bits.trailingZeroBitCount &- index
                    bits &= bits &- 1
                    unsafe out[index] |= UInt64(high) << UInt64(lowWidth)
                    index += 1
                }
            }
            initialized = count
        }
        guard high < 1 << highWidth else { throw .outOfRange }
        for index in 1..<max(1, hashes.count) where hashes[index] <= hashes[index - 1] { throw .outOfRange }
        return hashes
    }
}

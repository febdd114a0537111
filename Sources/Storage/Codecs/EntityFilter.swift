package import Core

/// Which artists and events a batch may hold: a Bloom filter of a byte an id, stored beside the batch's block
/// (docs/formats.md, "Entity filter"). It finds one in 46 ids that the batch does not hold, and never misses one it does.
///
/// `version u8 | block's crc u32 | bits | CRC-32C u32`
package enum EntityFilter {
    /// A batch with more ids has no filter.
    package static let maxIds = 16_384

    static let version: UInt8 = 1
    /// Fewest false positives for eight bits an id.
    static let hashes: UInt64 = 6
    private static let minBytes = 8
    private static let headerBytes = 5
    private static let checksumBytes = 4

    /// What it has ids of.
    static let columns: [BeaconBatch.Text] = [.artistId, .eventId]

    /// An id that is looked for.
    package struct Probe: Sendable {
        fileprivate let places: Places

        /// - Precondition: `column` is `artistId` or `eventId`.
        package init(_ column: BeaconBatch.Text, _ id: String) {
            precondition(EntityFilter.columns.contains(column))
            var id = id
            places = id.withUTF8 { unsafe Places(UnsafeRawBufferPointer($0), column) }
        }
    }

    /// Where an id's bits are, in a filter of any size.
    fileprivate struct Places: Sendable {
        let first: UInt64
        let step: UInt64

        init(_ id: UnsafeRawBufferPointer, _ column: BeaconBatch.Text) {
            let hash = unsafe Murmur3.hash128(id, seed: UInt64(BlockColumn(column).rawValue))
            (first, step) = (hash.0, hash.1 | 1)
        }

        func bit(_ number: UInt64, of bits: Int) -> Int {
            Int((first &+ number &* step).multipliedFullWidth(by: UInt64(bits)).high)
        }
    }

    /// - Parameter crc: the block's: beside another block the filter says nothing.
    /// - Returns: nil where there are more ids than `maxIds`.
    package static func encode(_ batch: BeaconBatch, ofBlock crc: UInt32) -> [UInt8]? {
        let ids = columns.reduce(0) { $0 + batch[$1].valueCount }
        guard ids <= maxIds else { return nil }
        var bits = [UInt8](repeating: 0, count: max(minBytes, ids))
        for column in columns {
            let texts = batch[column]
            unsafe texts.bytes.withUnsafeBytes { bytes in
                for index in 0..<texts.valueCount {
                    let places = unsafe Places(
                        UnsafeRawBufferPointer(rebasing: bytes[texts.range(ofValue: index)]), column)
                    for number in 0..<hashes {
                        let bit = places.bit(number, of: bits.count * 8)
                        bits[bit / 8] |= 1 << UInt8(bit % 8)
                    }
                }
            }
        }
        var filter: [UInt8] = [version]
        filter.reserveCapacity(headerBytes + bits.count + checksumBytes)
        filter.append(littleEndian: crc)
        filter.append(contentsOf: bits)
        filter.append(littleEndian: CRC32C.checksum(filter))
        return filter
    }

    /// Whether a batch has to be read for those of its rows that have all of these ids. True also where the filter is
    /// none, is damaged, or is of another block than the one it stands beside: a program that knows nothing of filters
    /// may have replaced that.
    package static func mayHold(
        _ probes: [Probe], _ filter: UnsafeRawBufferPointer, ofBlock crc: UInt32
    ) -> Bool {
        if probes.isEmpty { return true }
        let end = filter.count - checksumBytes
        guard end >= headerBytes + minBytes, unsafe filter[0] == version,
            unsafe UInt32(littleEndian: filter.loadUnaligned(fromByteOffset: 1, as: UInt32.self)) == crc,
            unsafe UInt32(littleEndian: filter.loadUnaligned(fromByteOffset: end, as: UInt32.self))
                == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: filter[..<end]))
        else { return true }
        let bits = (end - headerBytes) * 8
        return probes.allSatisfy { probe in
            (0..<hashes).allSatisfy { number in
                let bit = probe.places.bit(number, of: bits)
                return unsafe filter[headerBytes + bit / 8] >> UInt8(bit % 8) & 1 == 1
            }
        }
    }
}

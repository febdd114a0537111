package import Core

/// One request's beacons, encoded end to end as they go into the spool (docs/formats.md, "Beacon record").
///
/// A record is `length u32 | flags u8 | receivedAt i64 | timestamp i64 | claimed i64 | present u16`, then for each text
/// whose bit in `present` is set, in the order of `BeaconBatch.Text`, `length u16 | bytes`. Little-endian; `length`
/// counts what follows it.
package struct BeaconRecords: Sendable, Equatable {
    /// A text longer than this can't be written; the decoder refuses it earlier.
    package static let maxTextBytes = Int(UInt16.max)
    static let fixedBytes = 1 + 8 + 8 + 8 + 2

    package private(set) var bytes: [UInt8] = []
    package private(set) var count = 0

    package init() {}

    /// Makes room for so many bytes more. Twice as much as there was, or many small additions would each copy all.
    package mutating func reserve(more count: Int) {
        let needed = bytes.count + count
        if needed > bytes.capacity { bytes.reserveCapacity(max(needed, 2 * bytes.capacity)) }
    }

    /// How much there was at some time.
    package struct Extent: Sendable {
        fileprivate var bytes = 0
        fileprivate var count = 0

        package init() {}
    }

    package var extent: Extent {
        var extent = Extent()
        extent.bytes = bytes.count
        extent.count = count
        return extent
    }

    /// Appends what `others` has after `extent`.
    package mutating func append(_ others: BeaconRecords, from extent: Extent) {
        bytes.append(contentsOf: others.bytes[extent.bytes...])
        count += others.count - extent.count
    }

    /// Drops what came after `extent`.
    package mutating func cut(to extent: Extent) {
        guard extent.count < count else { return }
        bytes.removeLast(bytes.count - extent.bytes)
        count = extent.count
    }

    /// Appends a record.
    ///
    /// - Parameter texts: all of them, by `BeaconBatch.Text.rawValue`; one without an address is absent.
    /// - Precondition: each at most `maxTextBytes`.
    package mutating func append(
        receivedAt: Int64, timestamp: Int64, claimed: Int64, flags: BeaconBatch.Flags,
        texts: UnsafeBufferPointer<UnsafeRawBufferPointer>
    ) {
        var size = 4 + Self.fixedBytes
        var present: UInt16 = 0
        for index in texts.indices where texts[index].baseAddress != nil {
            precondition(texts[index].count <= Self.maxTextBytes)
            size += 2 + texts[index].count
            present |= 1 << UInt16(index)
        }
        withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { record in
            record.storeBytes(of: UInt32(size - 4).littleEndian, as: UInt32.self)
            record[4] = flags.rawValue
            record.storeBytes(of: receivedAt.littleEndian, toByteOffset: 5, as: Int64.self)
            record.storeBytes(of: timestamp.littleEndian, toByteOffset: 13, as: Int64.self)
            record.storeBytes(of: claimed.littleEndian, toByteOffset: 21, as: Int64.self)
            record.storeBytes(of: present.littleEndian, toByteOffset: 29, as: UInt16.self)
            var position = 4 + Self.fixedBytes
            for index in texts.indices where texts[index].baseAddress != nil {
                let text = texts[index]
                record.storeBytes(of: UInt16(text.count).littleEndian, toByteOffset: position, as: UInt16.self)
                UnsafeMutableRawBufferPointer(rebasing: record[(position + 2)...]).copyMemory(from: text)
                position += 2 + text.count
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(record))
        }
        count += 1
    }
}

extension BeaconBatchBuilder {
    package enum RecordError: Error, Equatable {
        /// The bytes are not whole, well-formed records: a defect, since frames are checksummed.
        case malformed(offset: Int)
    }

    /// Appends every record in `bytes`.
    package mutating func append(records bytes: UnsafeRawBufferPointer) throws(RecordError) {
        var offset = 0
        while offset < bytes.count {
            guard offset + 4 <= bytes.count else { throw .malformed(offset: offset) }
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            let end = offset + 4 + length
            guard length >= BeaconRecords.fixedBytes, end <= bytes.count else { throw .malformed(offset: offset) }
            func integer(_ at: Int) -> Int64 {
                Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + at, as: Int64.self))
            }
            let present = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 29, as: UInt16.self))
            // The texts are checked before the row begins, so that a malformed record adds nothing.
            var position = offset + 4 + BeaconRecords.fixedBytes
            for text in BeaconBatch.Text.allCases where present & (1 << UInt16(text.rawValue)) != 0 {
                guard position + 2 <= end else { throw .malformed(offset: offset) }
                position +=
                    2 + Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self)))
            }
            guard position == end else { throw .malformed(offset: offset) }
            beginRow(
                receivedAt: integer(5), timestamp: integer(13), claimed: integer(21),
                flags: BeaconBatch.Flags(rawValue: bytes[offset + 4]))
            position = offset + 4 + BeaconRecords.fixedBytes
            for text in BeaconBatch.Text.allCases {
                guard present & (1 << UInt16(text.rawValue)) != 0 else {
                    append(nil, to: text)
                    continue
                }
                let count = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self)))
                append(UnsafeRawBufferPointer(rebasing: bytes[(position + 2)..<(position + 2 + count)]), to: text)
                position += 2 + count
            }
            offset = end
        }
    }
}

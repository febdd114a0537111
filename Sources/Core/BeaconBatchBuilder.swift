import Glibc

/// Collects beacons into a batch, giving each distinct text of a column one code.
///
/// `messageId` and `metadata` hardly ever repeat, so they are not looked up: each row is a value of its own.
package struct BeaconBatchBuilder {
    package private(set) var batch = BeaconBatch()
    private var dictionaries = BeaconBatch.Text.allCases.map { _ in Dictionary() }

    package init() {}

    package var count: Int { batch.count }

    /// Begins a row; follow it with one `append(_:to:)` for each case of `BeaconBatch.Text`.
    package mutating func beginRow(receivedAt: Int64, timestamp: Int64, claimed: Int64, flags: BeaconBatch.Flags) {
        batch.receivedAt.append(receivedAt)
        batch.timestamp.append(timestamp)
        batch.claimed.append(claimed)
        batch.flags.append(flags)
    }

    /// Adds the current row's text, nil for null.
    package mutating func append(_ value: UnsafeRawBufferPointer?, to text: BeaconBatch.Text) {
        let code = value.map { newCode(for: $0, in: text) } ?? 0
        batch.texts[text.rawValue].appendRow(code: code)
    }

    package mutating func append(_ beacon: Beacon) {
        beginRow(
            receivedAt: beacon.receivedAt, timestamp: beacon.timestamp, claimed: beacon.claimed, flags: beacon.flags)
        for text in BeaconBatch.Text.allCases {
            if var value = beacon[text] {
                value.withUTF8 { append(UnsafeRawBufferPointer($0), to: text) }
            } else {
                append(nil, to: text)
            }
        }
    }

    /// Adds the rows of another batch for which `isKept` holds, in their order. Each distinct text is looked up once.
    package mutating func append(_ other: BeaconBatch, isKept: (Int) -> Bool) {
        let rows = (0..<other.count).filter(isKept)
        for row in rows {
            beginRow(
                receivedAt: other.receivedAt[row], timestamp: other.timestamp[row], claimed: other.claimed[row],
                flags: other.flags[row])
        }
        for text in BeaconBatch.Text.allCases {
            let column = other[text]
            // By the other's codes; 0 where it isn't known yet.
            var codes = [UInt32](repeating: 0, count: column.valueCount + 1)
            column.bytes.withUnsafeBytes { bytes in
                for row in rows {
                    let code = Int(column.codes[row])
                    if code != 0, codes[code] == 0 {
                        codes[code] = newCode(
                            for: UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: code - 1)]), in: text)
                    }
                    batch.texts[text.rawValue].appendRow(code: codes[code])
                }
            }
        }
    }

    private mutating func newCode(for value: UnsafeRawBufferPointer, in text: BeaconBatch.Text) -> UInt32 {
        let index = text.rawValue
        return switch text {
        case .messageId, .metadata: batch.texts[index].appendValue(value)
        default: dictionaries[index].code(for: value, in: &batch.texts[index])
        }
    }

    /// The batch so far; the builder is empty afterwards.
    package mutating func finish() -> BeaconBatch {
        let finished = batch
        self = BeaconBatchBuilder()
        return finished
    }
}

extension BeaconBatchBuilder {
    /// Open addressing over a column's codes. Power-of-two slots, at most half full; slot 0 means empty.
    private struct Dictionary {
        private let hash = TextHash()
        private var slots: [UInt32] = []
        private var hashes: [UInt64] = []

        mutating func code(for value: UnsafeRawBufferPointer, in column: inout TextColumn) -> UInt32 {
            if slots.count < 2 * (column.valueCount + 1) { grow() }
            let hash = hash(value)
            let mask = slots.count - 1
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 {
                let index = Int(slots[slot]) - 1
                if hashes[index] == hash && Self.equal(column, index, value) { return slots[slot] }
                slot = (slot + 1) & mask
            }
            let code = column.appendValue(value)
            hashes.append(hash)
            slots[slot] = code
            return code
        }

        private static func equal(_ column: TextColumn, _ index: Int, _ value: UnsafeRawBufferPointer) -> Bool {
            let range = column.range(ofValue: index)
            guard range.count == value.count, let start = value.baseAddress else { return range.count == value.count }
            return column.bytes.withUnsafeBytes { memcmp($0.baseAddress! + range.lowerBound, start, value.count) == 0 }
        }

        private mutating func grow() {
            let size = Swift.max(64, slots.count * 2)
            slots = [UInt32](repeating: 0, count: size)
            for (index, hash) in hashes.enumerated() {
                var slot = Int(truncatingIfNeeded: hash) & (size - 1)
                while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
                slots[slot] = UInt32(index + 1)
            }
        }
    }
}

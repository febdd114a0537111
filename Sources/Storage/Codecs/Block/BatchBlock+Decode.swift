package import Core

extension BatchBlock {
    /// The batch, with only the given columns: the others are zero or null in every row.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, columns: ColumnSet = .all
    ) throws(BlockError) -> BeaconBatch {
        var block = unsafe try BlockReader(bytes)
        return try block.batch(columns)
    }

    /// The rows that `select` picks, as a batch of their own; nil where it picks none.
    ///
    /// Decodes `filter`'s columns first, and of the others only what the picked rows hold: most of a block that holds
    /// little of what is looked for is never made.
    ///
    /// - Parameters:
    ///   - columns: those of the batch that is returned; `filter`'s are among them.
    ///   - select: gets a batch with `filter`'s columns and returns rows, ascending.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, columns: ColumnSet, filter: ColumnSet, select: (BeaconBatch) -> [Int]
    ) throws(BlockError) -> BeaconBatch? {
        var block = unsafe try BlockReader(bytes)
        let filtered = try block.batch(filter)
        let rows = select(filtered)
        if rows.isEmpty { return nil }
        return try block.batch(columns.union(filter), rows: rows)
    }

    package static func decode(_ bytes: [UInt8], columns: ColumnSet = .all) throws(BlockError) -> BeaconBatch {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(BlockError) in
            try unsafe decode(UnsafeRawBufferPointer(buffer), columns: columns)
        }
    }
}

/// A block whose checksum and directory are right.
@safe private struct BlockReader {
    private struct Part {
        var encoding: UInt8 = 0
        /// Nil where the part's bytes are stored as they are.
        var rawCount: Int?
        var range = 0..<0
    }

    let rows: Int
    private let bytes: UnsafeRawBufferPointer
    /// By a part's number: columns' rows first, then columns' values. Nil where the block has no such part.
    private var parts: [Part?]
    private var budget = BatchBlock.maxRawBytes
    /// A column's codes can be needed for others before and after it.
    private var decodedCodes: [[UInt32]?]
    fileprivate let zeros: [UInt32]

    init(_ bytes: UnsafeRawBufferPointer) throws(BlockError) {
        unsafe self.bytes = unsafe bytes
        let count = bytes.count
        guard count >= BatchBlock.headerBytes + BatchBlock.checksumBytes else { throw .truncated(count: count) }
        let checked = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<(count - BatchBlock.checksumBytes)])
        let stored = unsafe UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: checked.count, as: UInt32.self))
        let computed = unsafe CRC32C.checksum(checked)
        guard stored == computed else { throw .checksum(stored: stored, computed: computed) }

        var reader = unsafe ByteReader(checked)
        let magic: UInt32
        let version: Int16
        do throws(CodecDefect) {
            magic = try reader.integer()
            version = try reader.integer()
            rows = Int(try reader.integer(UInt32.self))
        } catch {
            throw .truncated(count: count)
        }
        guard magic == BatchBlock.magic else { throw .notABlock }
        guard version == BatchBlock.schemaVersion else { throw .unknownVersion(version) }
        guard rows <= BatchBlock.maxRows else { throw .tooManyRows(rows) }
        decodedCodes = [[UInt32]?](repeating: nil, count: BlockColumn.allCases.count)
        zeros = [UInt32](repeating: 0, count: rows)
        do throws(CodecDefect) {
            parts = try Self.directory(&reader, end: checked.count)
        } catch {
            throw .malformedDirectory(error)
        }
    }

    /// The batch with only the given columns: the others are zero or null in every row.
    ///
    /// - Parameter picked: the rows that it has, ascending; nil for all.
    mutating func batch(_ columns: ColumnSet, rows picked: [Int]? = nil) throws(BlockError) -> BeaconBatch {
        var batch = BeaconBatch()
        let count = picked?.count ?? rows

        // A column that is kept relative to another needs that one too.
        let chain: [BlockColumn] = [.receivedAt, .timestamp, .claimed]
        var integers = [[Int64]](repeating: [Int64](repeating: 0, count: count), count: chain.count)
        if let needed = chain.lastIndex(where: { columns.contains($0) }) {
            var reference = [Int64](repeating: 0, count: rows)
            for (index, column) in chain[...needed].enumerated() {
                reference = try self.integers(column, reference: reference)
                if columns.contains(column) {
                    integers[index] = picked.map { picked in picked.map { reference[$0] } } ?? reference
                }
            }
        }
        batch.receivedAt = integers[0]
        batch.timestamp = integers[1]
        batch.claimed = integers[2]

        batch.flags = [BeaconBatch.Flags](repeating: [], count: count)
        if columns.contains(.flags) {
            let flags = try flags()
            batch.flags = picked.map { picked in picked.map { flags[$0] } } ?? flags
        }
        let null = TextColumn(
            bytes: [], ends: [], codes: picked.map { [UInt32](repeating: 0, count: $0.count) } ?? zeros)
        for text in BeaconBatch.Text.allCases {
            batch[text] = columns.contains(BlockColumn(text)) ? try texts(text, rows: picked) ?? null : null
        }
        return batch
    }

    private static func slot(_ part: UInt8) -> Int {
        Int(part & ~BatchBlock.valuesBit) * 2 + (part & BatchBlock.valuesBit == 0 ? 1 : 0)
    }

    /// Parts come in the order of their columns, a column's values before its rows, each once.
    private static func directory(_ reader: inout ByteReader, end: Int) throws(CodecDefect) -> [Part?] {
        var parts = [Part?](repeating: nil, count: BlockColumn.allCases.count * 2)
        let count = Int(try reader.byte())
        var next = 0
        var listed: [(slot: Int, part: Part, length: Int)] = []
        for _ in 0..<count {
            let number = try reader.byte()
            let slot = slot(number)
            guard slot >= next, slot < parts.count else { throw .outOfRange }
            next = slot + 1
            var part = Part()
            let encoding = try reader.byte()
            part.encoding = encoding & ~BatchBlock.compressedBit
            let length = try reader.varint()
            if encoding & BatchBlock.compressedBit != 0 { part.rawCount = try reader.varint() }
            listed.append((slot, part, length))
        }
        var offset = end - reader.remaining
        for (slot, part, length) in listed {
            guard length <= end - offset else { throw .truncated }
            var part = part
            part.range = offset..<offset + length
            parts[slot] = part
            offset += length
        }
        guard offset == end else { throw .trailingBytes }
        return parts
    }

    /// Reads a part, inflated where it is compressed.
    private mutating func read<Result>(
        _ part: Part, _ body: (inout BlockReader, inout ByteReader) throws(CodecDefect) -> Result
    ) throws(CodecDefect) -> Result {
        let stored = unsafe UnsafeRawBufferPointer(rebasing: bytes[part.range])
        guard let rawCount = part.rawCount else {
            var reader = unsafe ByteReader(stored)
            return try body(&self, &reader)
        }
        guard rawCount <= budget else { throw .tooLarge }
        budget -= rawCount
        let raw: [UInt8]
        do { raw = unsafe try LZ4.decompress(stored, rawCount: rawCount) } catch { throw .compression }
        return try unsafe raw.withUnsafeBufferPointer { (buffer) throws(CodecDefect) in
            var reader = unsafe ByteReader(UnsafeRawBufferPointer(buffer))
            return try body(&self, &reader)
        }
    }

    mutating func integers(_ column: BlockColumn, reference: [Int64]) throws(BlockError) -> [Int64] {
        guard let part = parts[Self.slot(column.rawValue)] else { return reference }
        let rows = rows
        do throws(CodecDefect) {
            guard let encoding = IntegerEncoding(rawValue: part.encoding) else { throw CodecDefect.outOfRange }
            var values = try read(part) { (_, reader) throws(CodecDefect) in
                let values = try IntegerSeries.read(count: rows, from: &reader)
                try reader.finish()
                return values
            }
            if encoding == .relative {
                for index in values.indices { values[index] &+= reference[index] }
            }
            return values
        } catch {
            throw .malformed(column: column, error)
        }
    }

    mutating func flags() throws(BlockError) -> [BeaconBatch.Flags] {
        if parts[Self.slot(BlockColumn.flags.rawValue)] == nil {
            return [BeaconBatch.Flags](repeating: [], count: rows)
        }
        do throws(CodecDefect) {
            return try codes(.flags, maxCode: Int(UInt8.max)).map { BeaconBatch.Flags(rawValue: UInt8($0)) }
        } catch {
            throw .malformed(column: .flags, error)
        }
    }

    private mutating func texts(_ text: BeaconBatch.Text, rows picked: [Int]?) throws(BlockError) -> TextColumn? {
        let column = BlockColumn(text)
        let values = parts[Self.slot(column.rawValue | BatchBlock.valuesBit)]
        if values == nil && parts[Self.slot(column.rawValue)] == nil { return nil }
        do throws(CodecDefect) {
            guard let values, let encoding = TextValues.Encoding(rawValue: values.encoding) else { throw .outOfRange }
            var codes = try codes(column)
            var highest: UInt32 = 0
            for code in codes { highest = max(highest, code) }
            let picking = picked.map { PickedValues(codes, rows: $0, highest: highest) }
            let budget = budget
            let texts = try read(values) { (_, reader) throws(CodecDefect) in
                try TextValues.decode(
                    encoding, from: &reader, count: Int(highest)...BatchBlock.maxRows, maxBytes: budget,
                    only: picking?.values)
            }
            self.budget = max(0, self.budget - texts.bytes.count)
            if let picking { codes = picking.codes }
            return TextColumn(bytes: texts.bytes, ends: texts.ends, codes: codes)
        } catch {
            throw .malformed(column: column, error)
        }
    }

    private mutating func codes(_ column: BlockColumn, maxCode: Int) throws(CodecDefect) -> [UInt32] {
        let codes = try codes(column)
        var highest: UInt32 = 0
        for code in codes { highest = max(highest, code) }
        guard highest <= maxCode else { throw .outOfRange }
        return codes
    }

    /// Zeros where the column has no part.
    private mutating func codes(_ column: BlockColumn) throws(CodecDefect) -> [UInt32] {
        if let codes = decodedCodes[Int(column.rawValue)] { return codes }
        var codes = zeros
        if let part = parts[Self.slot(column.rawValue)] {
            guard let encoding = CodeSeries.Encoding(rawValue: part.encoding) else { throw .outOfRange }
            let rows = rows
            codes = try read(part) { (block, reader) throws(CodecDefect) in
                guard encoding == .predicted else {
                    return try CodeSeries.decode(encoding, count: rows, from: &reader)
                }
                let codes = try CodePrediction.decode(column, count: rows, from: &reader) {
                    (reference) throws(CodecDefect) in try block.codes(reference)
                }
                try reader.finish()
                return codes
            }
        }
        decodedCodes[Int(column.rawValue)] = codes
        return codes
    }
}

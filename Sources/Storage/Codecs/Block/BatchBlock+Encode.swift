package import Core

extension BatchBlock {
    /// - Precondition: at most `maxRows` rows, as many values in a column and `maxRawBytes` of texts in all; every column
    ///   has as many rows.
    package static func encode(_ batch: BeaconBatch) -> EncodedBlock {
        let rows = batch.count
        precondition(rows <= maxRows && batch.receivedAt.count == rows && batch.claimed.count == rows)
        precondition(
            batch.flags.count == rows && batch.texts.allSatisfy { $0.rowCount == rows && $0.valueCount <= maxRows })
        precondition(batch.texts.reduce(0) { $0 + $1.bytes.count } <= maxRawBytes)

        var parts = Parts()
        if rows > 0 {
            parts.append(.receivedAt, batch.receivedAt, relativeTo: nil)
            parts.append(.timestamp, batch.timestamp, relativeTo: batch.receivedAt)
            parts.append(.claimed, batch.claimed, relativeTo: batch.timestamp)
            parts.append(flags: batch.flags)
            for text in BeaconBatch.Text.allCases { parts.append(text, of: batch) }
        }
        return parts.finish(rows: rows)
    }
}

/// How an integer column's part is encoded.
enum IntegerEncoding: UInt8 {
    case absolute = 0
    /// What it is above the column before it.
    case relative = 1
}

private struct Parts {
    private var directory: [UInt8] = []
    private var bodies: [[UInt8]] = []

    /// A column that equals the one before it, or zero where there is none, has no part.
    mutating func append(_ column: BlockColumn, _ values: [Int64], relativeTo reference: [Int64]?) {
        guard let reference else {
            if values.allSatisfy({ $0 == 0 }) { return }
            append(column.rawValue, encoding: IntegerEncoding.absolute.rawValue, IntegerSeries.Plan(values.span))
            return
        }
        if values == reference { return }
        var differences: [Int64] = []
        differences.reserveCapacity(values.count)
        for index in values.indices { differences.append(values[index] &- reference[index]) }
        let absolute = IntegerSeries.Plan(values.span)
        let relative = IntegerSeries.Plan(differences.span)
        if relative.byteCount <= absolute.byteCount {
            append(column.rawValue, encoding: IntegerEncoding.relative.rawValue, relative)
        } else {
            append(column.rawValue, encoding: IntegerEncoding.absolute.rawValue, absolute)
        }
    }

    mutating func append(flags: [BeaconBatch.Flags]) {
        let codes = flags.map { UInt32($0.rawValue) }
        if codes.allSatisfy({ $0 == 0 }) { return }
        let (encoding, body) = CodeSeries.encode(codes.span)
        append(BlockColumn.flags.rawValue, encoding: encoding.rawValue, body)
    }

    /// A column without values is all null and has no part.
    mutating func append(_ text: BeaconBatch.Text, of batch: BeaconBatch) {
        let texts = batch[text]
        let column = BlockColumn(text)
        guard texts.valueCount > 0 else { return }
        let (valueEncoding, values) = TextValues.encode(texts)
        append(column.rawValue | BatchBlock.valuesBit, encoding: valueEncoding.rawValue, values)
        let (encoding, codes) = CodeSeries.encode(texts.codes.span)
        // A column tells others' codes by its repeats: one of few is not worth the attempt.
        let references = CodePrediction.references(for: column).compactMap { reference in
            let texts = batch[reference.text!]
            return texts.valueCount > 0 && texts.valueCount < batch.count * 7 / 8 ? (reference, texts.codes) : nil
        }
        if let told = CodePrediction.encode(texts.codes, by: references, maxBytes: codes.count) {
            append(column.rawValue, encoding: CodeSeries.Encoding.predicted.rawValue, told)
        } else {
            append(column.rawValue, encoding: encoding.rawValue, codes)
        }
    }

    private mutating func append(_ part: UInt8, encoding: UInt8, _ plan: consuming IntegerSeries.Plan) {
        var body: [UInt8] = []
        body.reserveCapacity(plan.byteCount)
        plan.append(to: &body)
        append(part, encoding: encoding, body)
    }

    private mutating func append(_ part: UInt8, encoding: UInt8, _ body: [UInt8]) {
        directory.append(part)
        // Worth undoing only where it saves more than a thirty-second.
        if body.count >= BatchBlock.minCompressedBytes,
            let compressed = unsafe body.withUnsafeBytes({
                unsafe LZ4.compress($0, maxBytes: $0.count - $0.count / 32 - 1)
            })
        {
            directory.append(encoding | BatchBlock.compressedBit)
            directory.append(varint: compressed.count)
            directory.append(varint: body.count)
            bodies.append(compressed)
        } else {
            directory.append(encoding)
            directory.append(varint: body.count)
            bodies.append(body)
        }
    }

    func finish(rows: Int) -> EncodedBlock {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            BatchBlock.headerBytes + directory.count + bodies.reduce(0) { $0 + $1.count } + BatchBlock.checksumBytes)
        bytes.append(littleEndian: BatchBlock.magic)
        bytes.append(littleEndian: BatchBlock.schemaVersion)
        bytes.append(littleEndian: UInt32(rows))
        bytes.append(UInt8(bodies.count))
        bytes.append(contentsOf: directory)
        for body in bodies { bytes.append(contentsOf: body) }
        let crc = CRC32C.checksum(bytes)
        bytes.append(littleEndian: crc)
        return EncodedBlock(bytes: bytes, crc: crc)
    }
}

import Core
import TestSupport
import Testing

@testable import Storage

@Suite struct BatchBlockTests {
    private func batch(_ beacons: [Beacon]) -> BeaconBatch {
        var builder = BeaconBatchBuilder()
        for beacon in beacons { builder.append(beacon) }
        return builder.finish()
    }

    private func batch(_ text: BeaconBatch.Text, _ values: [String?]) -> BeaconBatch {
        batch(
            values.map { value in
                var beacon = Beacon(receivedAt: 0, timestamp: 0)
                beacon[text] = value
                return beacon
            })
    }

    @Test(arguments: 0..<150)
    func decodingIsTheInverse(seed: Int) throws {
        var random = RandomBatches(seed: UInt64(seed))
        let rows = random.number(1...(seed % 10 == 0 ? 2000 : 40))
        let batch = random.batch(rows: rows)
        let block = BatchBlock.encode(batch)
        #expect(try BatchBlock.decode(block.bytes) == batch, "seed \(seed)")
        #expect(BatchBlock.encode(batch) == block, "seed \(seed)")
        #expect(block.crc == CRC32C.checksum(Array(block.bytes.dropLast(4))))
    }

    @Test func randomBatchesUseEveryEncoding() {
        var values: Set<UInt8> = []
        var codes: Set<UInt8> = []
        var integers: Set<UInt8> = []
        var compressed: Set<Bool> = []
        for seed in stride(from: 0, to: 150, by: 10) {
            var random = RandomBatches(seed: UInt64(seed))
            let rows = random.number(1...2000)
            for part in BlockParts(BatchBlock.encode(random.batch(rows: rows)).bytes).parts {
                compressed.insert(part.isCompressed)
                if part.isValues {
                    values.insert(part.encoding)
                } else if part.column.rawValue < BlockColumn.flags.rawValue {
                    integers.insert(part.encoding)
                } else {
                    codes.insert(part.encoding)
                }
            }
        }
        #expect(values == Set(TextValues.Encoding.allCases.map(\.rawValue)))
        #expect(codes == Set(CodeSeries.Encoding.allCases.map(\.rawValue)))
        #expect(integers == [0, 1])
        #expect(compressed == [true, false])
    }

    @Test func textsGetTheEncodingThatTheyAllow() throws {
        var random = RandomBatches(seed: 5)
        func encoding(_ texts: [String]) throws -> TextValues.Encoding {
            let batch = batch(.metadata, texts)
            let block = BatchBlock.encode(batch)
            #expect(try BatchBlock.decode(block.bytes) == batch)
            return TextValues.Encoding(rawValue: try #require(BlockParts(block.bytes).values(.metadata)).encoding)!
        }
        let ids = (0..<50).map { _ in random.uuid() }
        #expect(try encoding(ids) == .uuid)
        #expect(try encoding(ids.map { "m:" + $0 }) == .uuid)
        #expect(try encoding(ids + ["00000000-0000-0000-0000-000000000000"]) == .uuid)
        #expect(try encoding(ids + ["ffffffff-ffff-ffff-ffff-ffffffffffff"]) == .uuid)
        #expect(try encoding(ids.map { $0.uppercased() }) == .raw)
        #expect(try encoding(ids + [String(ids[0].dropLast())]) == .raw)
        #expect(try encoding(ids + [ids[0].replacing("-", with: "_")]) == .raw)
        #expect(try encoding(ids.enumerated().map { ($0 == 7 ? "n:" : "m:") + $1 }) == .raw)

        #expect(try encoding((0..<50).map { "artist_\($0 * 37)" }) == .numbered)
        #expect(try encoding((0..<50).map { "visitor/" + padded($0 * 37, 5) }) == .numbered)
        #expect(try encoding((0..<50).map { "visitor/" + padded($0 * 37, 12) }) == .numbered)
        #expect(try encoding((0..<50).map { "\($0 * 3_000_000_000_000_017)" }) == .numbered)
        #expect(try encoding(["7", "07", "107", "1007"]) == .raw)
        #expect(try encoding(["id12345678", "id1234567x"]) == .raw)
        #expect(try encoding(["id1", "id", "id2222222222222222"]) == .raw)
        #expect(try encoding(["1234567890123456789", "1234567890123456788"]) == .raw)

        #expect(try encoding((0..<50).map { _ in random.hex(32) }) == .hex)
        #expect(try encoding((0..<50).map { _ in "sha-" + random.hex(30) + "f" + random.hex(1) }) == .hex)
        #expect(try encoding((0..<50).map { _ in random.hex(32) } + [random.hex(30) + "zz"]) == .raw)
        #expect(try encoding(["", "a", "", "b"]) == .raw)
    }

    @Test func codesGetTheShortestEncoding() throws {
        func encoding(_ texts: [String?], _ column: BeaconBatch.Text = .path) throws -> CodeSeries.Encoding {
            let batch = batch(column, texts)
            let block = BatchBlock.encode(batch)
            #expect(try BatchBlock.decode(block.bytes) == batch)
            let rows = try #require(BlockParts(block.bytes).rows(BlockColumn(column)))
            return CodeSeries.Encoding(rawValue: rows.encoding)!
        }
        var random = RandomBatches(seed: 6)
        #expect(try encoding((0..<500).map { "\($0)" }) == .firstSeen)
        #expect(try encoding((0..<500).map { $0 % 9 == 0 ? nil : "\($0)" }) == .firstSeen)
        #expect(try encoding((0..<500).map { $0 % 9 == 0 ? nil : "\($0)" }, .messageId) == .firstSeen)
        #expect(try encoding((0..<500).map { "\($0 / 100)" }) == .runs)
        #expect(try encoding((0..<500).map { _ in "\(random.number(0...6))" }) == .packed)
    }

    @Test func codesThatAnotherColumnTellsAreToldByIt() throws {
        var random = RandomBatches(seed: 7)
        let beacons = (0..<400).map { row in
            var beacon = Beacon(receivedAt: 0, timestamp: 0)
            let visitor = random.number(0...40)
            beacon[.visitorId] = visitor == 0 ? nil : "visitor_\(visitor)"
            beacon[.sessionId] = "session_\(visitor * 3 + (row > 300 ? 1 : 0))"
            beacon[.artistId] = "artist_\(random.number(0...30))"
            beacon[.path] = random.number(0...20) == 0 ? nil : beacon[.artistId].map { "/\($0)" }
            beacon[.country] = ["KR", nil, "JP", "US", "DE"][visitor % 5]
            return beacon
        }
        let batch = batch(beacons)
        let bytes = BatchBlock.encode(batch).bytes
        let parts = BlockParts(bytes)
        #expect(parts.rows(.visitorId)?.encoding == CodeSeries.Encoding.packed.rawValue)
        for column in [BlockColumn.sessionId, .path, .country] {
            #expect(parts.rows(column)?.encoding == CodeSeries.Encoding.predicted.rawValue)
        }
        #expect(try BatchBlock.decode(bytes) == batch)
        #expect(try BatchBlock.decode(bytes, columns: .country)[.country] == batch[.country])
        #expect(try BatchBlock.decode(bytes, columns: .path)[.path] == batch[.path])
    }

    @Test func columnsThatSayNothingHaveNoPart() throws {
        let empty = batch(.path, [nil, nil, nil])
        let block = BatchBlock.encode(empty)
        #expect(block.bytes.count == 15)
        #expect(try BatchBlock.decode(block.bytes) == empty)
        let stamped = batch((0..<3).map { Beacon(receivedAt: 1000 + $0, timestamp: 1000 + $0) })
        #expect(BlockParts(BatchBlock.encode(stamped).bytes).parts.map(\.column) == [.receivedAt])
        #expect(try BatchBlock.decode(BatchBlock.encode(BeaconBatch()).bytes) == BeaconBatch())
    }

    @Test func valuesThatNoRowHasAreKept() throws {
        var batch = batch(.path, [nil, nil])
        "unused".utf8.withContiguousStorageIfAvailable { _ = batch[.path].appendValue(UnsafeRawBufferPointer($0)) }
        #expect(try BatchBlock.decode(BatchBlock.encode(batch).bytes) == batch)
    }

    @Test func bytesAreThoseOfTheFormat() throws {
        var beacons = (0..<3).map { Beacon(receivedAt: 1_000_000 + Int64($0), timestamp: 999_990 + Int64($0 * 5)) }
        for row in beacons.indices {
            beacons[row][.eventType] = "page_view"
            beacons[row][.artistId] = row == 1 ? nil : "artist_\(7 + row)"
            beacons[row][.messageId] = "0b8ae4a2-1f3c-4e5d-8a9b-00000000000\(row)"
            beacons[row].flags = row == 2 ? .anonymous : []
        }
        let batch = batch(beacons)
        // Header and directory, then the parts, as docs/formats.md takes them apart.
        let expected = [
            "54424c4b", "0100", "03000000", "09",
            "00000b", "01010c", "030002", "84000c", "040002", "850013", "050002", "89032b", "090002",
            "00" + "40420f0000000000" + "0224",
            "00" + "f6ffffffffffffff" + "044008",
            "0220",
            "01" + "0409" + "706167655f76696577",
            "0107",
            "02" + "0488" + "6172746973745f37" + "6172746973745f39",
            "0221",
            "03" + "00" + "04" + "00" + "3c1fa2e48a0b0000" + "00" + "0c" + "5ddee55d0e"
                + "3c" + "0000000000009b1a0000000000b0a90200000000009b0a",
            "0239",
            "47464581",
        ].joined()
        let block = BatchBlock.encode(batch)
        #expect(block.bytes.map { String($0 >> 4, radix: 16) + String($0 & 0xf, radix: 16) }.joined() == expected)
        #expect(block.crc == 0x8145_4647)
        #expect(try BatchBlock.decode(block.bytes) == batch)
    }

    @Test func extremesAreKept() throws {
        let instants: [Int64] = [.min, .max, 0, -1, 1, .max, .min]
        let batch = batch(
            instants.indices.map { index in
                Beacon(
                    receivedAt: instants[index], timestamp: instants[(index + 3) % 7],
                    claimed: instants[(index + 5) % 7],
                    flags: BeaconBatch.Flags(rawValue: UInt8(index * 42)))
            })
        #expect(try BatchBlock.decode(BatchBlock.encode(batch).bytes) == batch)
    }

    @Test func aBatchOfTheMostRowsIsKept() throws {
        var builder = BeaconBatchBuilder()
        for row in 0..<BatchBlock.maxRows {
            var beacon = Beacon(receivedAt: Int64(row), timestamp: Int64(row) - 5)
            beacon[.messageId] = "message-\(row)"
            beacon[.visitorId] = "visitor-\(row / 2)"
            builder.append(beacon)
        }
        let batch = builder.finish()
        #expect(try BatchBlock.decode(BatchBlock.encode(batch).bytes) == batch)
    }

    @Test(arguments: 300..<330)
    func pickedRowsAreThoseOfTheWholeBatch(seed: Int) throws {
        var random = RandomBatches(seed: UInt64(seed))
        let batch = random.batch(rows: random.number(1...600))
        let bytes = BatchBlock.encode(batch).bytes
        let share = random.number(0...4)
        let rows = (0..<batch.count).filter { _ in random.number(0...3) < share }
        let picked = try bytes.withUnsafeBytes { bytes in
            try BatchBlock.decode(bytes, columns: .all, filter: [.timestamp, .artistId]) { filtered in
                #expect(filtered.timestamp == batch.timestamp && filtered[.artistId] == batch[.artistId])
                return rows
            }
        }
        #expect((picked?.count ?? 0) == rows.count)
        for (place, row) in rows.enumerated() {
            #expect(picked?.beacon(at: place) == batch.beacon(at: row), "seed \(seed), row \(row)")
        }
        // Nothing is kept that no row has.
        for text in BeaconBatch.Text.allCases {
            #expect(
                picked?[text].valueCount ?? 0 == Set(rows.compactMap { batch[text].codes[$0] }.filter { $0 != 0 }).count
            )
        }
    }

    @Test(arguments: 200..<215)
    func onlyTheColumnsAskedForAreDecoded(seed: Int) throws {
        var random = RandomBatches(seed: UInt64(seed))
        let batch = random.batch(rows: random.number(1...300))
        let bytes = BatchBlock.encode(batch).bytes
        let sets: [ColumnSet] =
            [[], [.timestamp, .eventType, .artistId], .timestamp, .claimed, [.claimed, .metadata]]
            + BlockColumn.allCases.map { ColumnSet($0) }
        for columns in sets {
            let decoded = try BatchBlock.decode(bytes, columns: columns)
            let zeros = [Int64](repeating: 0, count: batch.count)
            #expect(decoded.receivedAt == (columns.contains(.receivedAt) ? batch.receivedAt : zeros), "seed \(seed)")
            #expect(decoded.timestamp == (columns.contains(.timestamp) ? batch.timestamp : zeros), "seed \(seed)")
            #expect(decoded.claimed == (columns.contains(.claimed) ? batch.claimed : zeros), "seed \(seed)")
            #expect(decoded.flags == (columns.contains(.flags) ? batch.flags : batch.flags.map { _ in [] }))
            for text in BeaconBatch.Text.allCases {
                if columns.contains(ColumnSet(text)) {
                    #expect(decoded[text] == batch[text], "seed \(seed)")
                } else {
                    #expect(decoded[text].valueCount == 0 && decoded[text].codes.allSatisfy { $0 == 0 })
                    #expect(decoded[text].rowCount == batch.count)
                }
            }
        }
        #expect(try BatchBlock.decode(bytes, columns: .all) == batch)
    }
}

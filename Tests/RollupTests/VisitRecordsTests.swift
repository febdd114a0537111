import TestSupport
import Testing

@testable import Core
@testable import Rollup

/// What records share is found by comparing them, as if each of their rows were looked for among all.
@Suite struct VisitRecordsTests {
    private func record(_ random: inout SeededGenerator) -> VisitRecords.Record {
        var record = VisitRecords.Record(
            visitor: UInt64.random(in: 1...3, using: &random), artist: Int32.random(in: -1...2, using: &random),
            event: Int32.random(in: -1...2, using: &random), hour: UInt8.random(in: 0...2, using: &random))
        for dimension in 0..<VisitRecords.dimensions {
            let value = Int32.random(in: 0...4, using: &random)
            record.values[dimension] = value
            // Which values have no row depends on the value, and on the artist.
            if value > 2 { record.others |= VisitRecords.siteOther(dimension) }
            if value > 3 - record.artist { record.others |= VisitRecords.artistOther(dimension) }
        }
        record.rows = VisitRecords.Rows.traffic.union(.values)
        if record.artist < 0 { record.rows.subtract(.ofArtist) }
        if record.event < 0 {
            record.rows.subtract(.ofEvent)
        } else {
            let kinds: [CountedBeacons.Kind] = [.other, .pageView, .seatView]
            record.funnel = VisitRecords.Rows(funnelOf: kinds.randomElement(using: &random)!)
            record.rows.formUnion(record.funnel)
        }
        return record
    }

    /// Each row of the record that is among `rows`, by what tells it apart.
    private func names(_ record: VisitRecords.Record, _ rows: VisitRecords.Rows) -> [String] {
        var names: [String] = []
        func add(_ row: VisitRecords.Rows, _ name: String) {
            if rows.contains(row) { names.append("\(record.visitor) \(name)") }
        }
        add(.siteDay, "site day")
        add(.siteHour, "site hour \(record.hour)")
        add(.artistDay, "artist \(record.artist)")
        add(.artistHour, "artist \(record.artist) hour \(record.hour)")
        add(.eventDay, "event \(record.event)")
        add(.eventHour, "event \(record.event) hour \(record.hour)")
        add(.viewers, "viewers \(record.event)")
        add(.seatViewers, "seat viewers \(record.event)")
        for dimension in 0..<VisitRecords.dimensions {
            let value = "\(record.values[dimension])"
            let ofSite = record.others & VisitRecords.siteOther(dimension) != 0 ? "others" : value
            add(.siteValue(dimension), "site \(dimension) \(ofSite)")
            let ofArtist = record.isArtistOther(dimension) ? "others" : value
            add(.artistValue(dimension), "artist \(record.artist) \(dimension) \(ofArtist)")
        }
        return names
    }

    @Test func eachRowIsNewOnce() {
        var random = SeededGenerator()
        print("\(random)")
        for _ in 0..<200 {
            let records = (0..<20).map { _ in record(&random) }
            var found: [String] = []
            for (index, record) in records.enumerated() {
                var new = record.rows
                for earlier in records[..<index] where earlier.visitor == record.visitor {
                    new.subtract(record.rows(sharedWith: earlier))
                }
                found += names(record, new)
            }
            let all = Set(records.flatMap { names($0, $0.rows) })
            #expect(found.count == all.count && Set(found) == all, "\(random)")
        }
    }

    @Test func aFullPartIsTakenAndEachVisitorsRecordsAreInOneBucketInOrder() throws {
        var random = SeededGenerator()
        print("\(random)")
        var records = VisitRecords()
        records.removeAll()
        var added: [UInt64: [Int32]] = [:]
        var full: Int?
        for number in 0..<Int32(VisitRecords.maxRecords) {
            #expect(full == nil)
            // All of one part, some of them of one visitor.
            let visitor =
                UInt64.random(in: 0..<2000, using: &random) << 13
                | UInt64.random(in: 0..<UInt64(VisitRecords.groupsOfPart), using: &random)
            full = records.append(.init(visitor: visitor, artist: number, event: -1, hour: 0))
            added[visitor, default: []].append(number)
        }
        let part = try #require(full)
        let taken = records.take(part)
        #expect(taken.ends.last == VisitRecords.maxRecords)
        var buckets: [UInt64: Set<Int>] = [:]
        var start = 0
        for (bucket, end) in taken.ends.enumerated() {
            for record in taken.records[start..<end] {
                buckets[record.visitor, default: []].insert(bucket)
                #expect(SketchProof.group(of: record.visitor) == bucket / VisitRecords.bucketsOfGroup)
            }
            start = end
        }
        #expect(buckets.values.allSatisfy { $0.count == 1 })
        let inOrder = Dictionary(grouping: taken.records, by: \.visitor).mapValues { $0.map(\.artist) }
        #expect(inOrder == added)
        #expect(records.take(part).records.isEmpty)
    }

    @Test(arguments: [0, 1, 2, 255, 256, 257, 5000, 100_000]) func aHashThatComesTwiceIsSeen(count: Int) {
        var random = SeededGenerator()
        print("\(random)")
        var hashes = DistinctHashes()
        let added = (0..<count).map { _ in UInt64.random(in: 1 ... .max, using: &random) }
        for hash in added { hashes.add(hash) }
        #expect(hashes.areDistinct())
        guard let again = added.randomElement(using: &random) else { return }
        hashes.add(again)
        #expect(!hashes.areDistinct(), "\(random)")
    }
}

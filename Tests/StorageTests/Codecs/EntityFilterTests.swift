import Core
import TestSupport
import Testing

@testable import Storage

@Suite struct EntityFilterTests {
    private func batch(artists: [String?], events: [String?] = []) -> BeaconBatch {
        var builder = BeaconBatchBuilder()
        for row in 0..<max(artists.count, events.count) {
            var beacon = Beacon(receivedAt: 0, timestamp: 0)
            beacon[.artistId] = row < artists.count ? artists[row] : nil
            beacon[.eventId] = row < events.count ? events[row] : nil
            builder.append(beacon)
        }
        return builder.finish()
    }

    private func mayHold(_ filter: [UInt8], _ probes: [EntityFilter.Probe], crc: UInt32 = 7) -> Bool {
        filter.withUnsafeBytes { EntityFilter.mayHold(probes, $0, ofBlock: crc) }
    }

    @Test(arguments: 0..<60)
    func everythingInTheBatchIsFound(seed: Int) throws {
        var random = RandomBatches(seed: UInt64(seed))
        let batch = random.batch(rows: random.number(1...(seed % 10 == 0 ? 3000 : 50)))
        let filter = try #require(EntityFilter.encode(batch, ofBlock: 7))
        #expect(EntityFilter.encode(batch, ofBlock: 7) == filter)
        for row in 0..<batch.count {
            let probes = EntityFilter.columns.compactMap { column in
                batch[column][row].map { EntityFilter.Probe(column, $0) }
            }
            #expect(mayHold(filter, probes), "seed \(seed)")
        }
    }

    @Test func littleElseIsFound() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = RandomBatches(seed: seed)
        for count in [1, 10, 1000, 8000] {
            let artists = (0..<count).map { _ in "artist_\(random.number(0...1_000_000))" }
            let events = (0..<count).map { _ in random.uuid() }
            let filter = try #require(EntityFilter.encode(batch(artists: artists, events: events), ofBlock: 7))
            #expect(filter.count <= 2 * count + 17)
            let found = (0..<10_000).count { mayHold(filter, [.init(.artistId, "other_\($0)")]) }
            // One in 46 in the mean; filters of a few are now and then much fuller than that.
            #expect(found < (count < 1000 ? 2000 : 600), "\(count), seed \(seed)")
            guard count >= 1000 else { continue }
            // An event is no artist.
            let eventsFound = events.prefix(1000).count { mayHold(filter, [.init(.artistId, $0)]) }
            #expect(eventsFound < 1000 / 15, "\(count), seed \(seed)")
        }
    }

    @Test func allThatIsLookedForMustBeThere() throws {
        let filter = try #require(EntityFilter.encode(batch(artists: ["iu", nil], events: ["e1", nil]), ofBlock: 7))
        #expect(mayHold(filter, []))
        #expect(mayHold(filter, [.init(.artistId, "iu"), .init(.eventId, "e1")]))
        #expect(!mayHold(filter, [.init(.artistId, "iu"), .init(.eventId, "e2")]))
        #expect(!mayHold(filter, [.init(.artistId, "bts"), .init(.eventId, "e1")]))
    }

    @Test func aBatchWithoutIdsHoldsNothing() throws {
        let filter = try #require(EntityFilter.encode(batch(artists: [nil]), ofBlock: 7))
        #expect(!mayHold(filter, [.init(.artistId, "iu")]))
        #expect(mayHold(filter, []))
    }

    @Test func whatIsNoFilterOfTheBlockHidesNothing() throws {
        let filter = try #require(EntityFilter.encode(batch(artists: ["iu"]), ofBlock: 7))
        let other = [EntityFilter.Probe(.artistId, "bts")]
        #expect(!mayHold(filter, other))
        #expect(mayHold(filter, other, crc: 8))
        #expect(mayHold([], other))
        for count in 0..<filter.count { #expect(mayHold(Array(filter.prefix(count)), other)) }
        for bit in 0..<filter.count * 8 {
            var flipped = filter
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(mayHold(flipped, other), "bit \(bit)")
        }
        // A later version, with a checksum that is right.
        var newer = Array(filter.dropLast(4))
        newer[0] += 1
        newer.append(littleEndian: CRC32C.checksum(newer))
        #expect(mayHold(newer, other))
    }

    @Test func tooManyIdsHaveNoFilter() {
        func filter(_ count: Int) -> [UInt8]? {
            EntityFilter.encode(batch(artists: ["iu"], events: (0..<count).map { "e\($0)" }), ofBlock: 7)
        }
        #expect(filter(EntityFilter.maxIds - 1)?.count == EntityFilter.maxIds + 9)
        #expect(filter(EntityFilter.maxIds) == nil)
    }

    /// The example of docs/formats.md.
    @Test func bytesAreAsTheFormatSays() {
        let filter = EntityFilter.encode(batch(artists: ["iu"], events: ["e1"]), ofBlock: 0x0403_0201)
        #expect(
            filter == [
                0x01, 0x01, 0x02, 0x03, 0x04, 0x14, 0x94, 0x60, 0x00, 0x01, 0x04, 0x00, 0x85, 0x15, 0x3e, 0xfc, 0x06,
            ])
    }
}

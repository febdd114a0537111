import Core
import Storage
import TestSupport

/// Batches of every kind, the same for the same seed.
struct RandomBatches {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    mutating func uuid(version: Int = 4) -> String {
        var digits = String(generator.next(), radix: 16)
        digits = String(repeating: "0", count: 16 - digits.count) + digits
        var rest = String(generator.next(), radix: 16)
        rest = String(repeating: "0", count: 16 - rest.count) + rest
        let all = Array(digits + rest)
        let variant = Array("89ab").randomElement(using: &generator)!
        return String(all[0..<8]) + "-" + String(all[8..<12]) + "-" + String(version) + String(all[13..<16]) + "-"
            + String(variant) + String(all[17..<20]) + "-" + String(all[20..<32])
    }

    mutating func hex(_ digits: Int) -> String {
        String((0..<digits).map { _ in Array("0123456789abcdef").randomElement(using: &generator)! })
    }

    mutating func phrase() -> String {
        let words = ["서울", "naïve", "/artists", "?utm=1", "ticket", " ", "", "🎟", "\u{0}", "a"]
        return (0...number(0...4)).map { _ in words.randomElement(using: &generator)! }.joined()
    }

    /// One kind of text column, values drawn from a pool of its own.
    private mutating func texts(_ rows: Int) -> [String?] {
        let kind = number(0...11)
        let pool = number(1...max(1, rows))
        let values: [String] = (0..<pool).map { index in
            switch kind {
            case 0: "artist_\(number(0...2000))"
            case 1: "v\(padded(number(0...999_999), 6))"
            case 2: uuid()
            case 3: "visitor-" + uuid(version: number(1...8))
            case 4: hex(32)
            case 5: "h:" + hex(6)
            case 6: "\(index + 1_000_000)"
            case 7: String(number(0...9_999_999_999))
            case 8: ["page_view", "seat_view", "click"][index % 3]
            case 9: "KR"
            default: phrase()
            }
        }
        let nulls = number(0...2)
        return (0..<rows).map { row in
            if nulls == 2 || (nulls == 1 && number(0...3) == 0) { return nil }
            return kind == 9 || number(0...1) == 0 ? values[row % pool] : values[number(0...pool - 1)]
        }
    }

    private mutating func integers(_ rows: Int) -> [Int64] {
        let kind = number(0...6)
        var values: [Int64] = []
        var last: Int64 = 1_765_000_000_000
        for _ in 0..<rows {
            switch kind {
            case 0: last = 0
            case 1: break
            case 2: last += Int64(number(0...3))
            case 3: last = 1_765_000_000_000 + Int64(number(0...86_400_000))
            case 4: last = [Int64.min, .max, 0, -1].randomElement(using: &generator)!
            case 5: last = Int64(bitPattern: generator.next())
            default: last += number(0...100) == 0 ? 3_600_000 : 1
            }
            values.append(last)
        }
        return values
    }

    mutating func batch(rows: Int) -> BeaconBatch {
        let receivedAt = integers(rows)
        let timestamp = number(0...2) == 0 ? integers(rows) : receivedAt.map { $0 &- Int64(number(0...500)) }
        let claimed =
            number(0...1) == 0
            ? timestamp : timestamp.map { number(0...20) == 0 ? $0 &+ Int64(number(0...600_000)) : $0 }
        let flagged = number(0...2)
        var columns: [[String?]] = []
        for _ in BeaconBatch.Text.allCases { columns.append(texts(rows)) }
        var builder = BeaconBatchBuilder()
        for row in 0..<rows {
            let flags = flagged == 0 ? 0 : UInt8(number(0...(flagged == 1 ? 1 : 255)))
            builder.append(
                Beacon(
                    receivedAt: receivedAt[row], timestamp: timestamp[row], claimed: claimed[row],
                    flags: BeaconBatch.Flags(rawValue: flags), texts: columns.map { $0[row] }))
        }
        return builder.finish()
    }
}

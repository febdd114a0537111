import Foundation

@testable import Ingest

/// What was asked of a spool, what it answered, and what must therefore be in it.
///
/// Each frame that is offered gets a number of its own, which it carries as its receipt.
struct SpoolLedger {
    struct Offer {
        var position: Spool.Position
        var records: [UInt8]
    }

    /// What a spool did that it must not.
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    /// By number, from 0.
    private(set) var offers: [Offer] = []
    private(set) var acknowledged: Set<Int> = []
    /// Found after a restart, which may have been told to others since.
    private(set) var recovered: Set<Int> = []
    /// Hit by damage: may be gone.
    private(set) var damaged: Set<Int> = []

    /// The damaged files that were kept.
    private(set) var quarantined: Set<String> = []

    /// What Postgres has: the frames, and how far each identity came.
    private(set) var stored: Set<Int> = []
    private(set) var positions: [UInt64: UInt64] = [:]

    mutating func offer(at position: Spool.Position, bytes: Int) -> (number: Int, frame: [UInt8]) {
        let number = offers.count
        // Zeros too, which look like what was never written.
        let fill = number % 3 == 0 ? 0 : UInt8(truncatingIfNeeded: number)
        let header = SpoolSegment.frameHeaderBytes + SpoolFrame.payloadHeaderBytes
        let records = [UInt8](repeating: fill, count: bytes - header)
        offers.append(Offer(position: position, records: records))
        var frame = [UInt8](repeating: 0, count: SpoolSegment.frameHeaderBytes)
        frame.append(littleEndian: UInt32(1))
        frame.append(littleEndian: Int64(number))
        frame.append(contentsOf: records)
        return (number, frame)
    }

    mutating func acknowledge(_ number: Int) { acknowledged.insert(number) }

    mutating func damage(_ number: Int) { damaged.insert(number) }

    /// A frame that was read is one that was offered, and not stored yet.
    func check(_ frame: SpoolReader.Frame) throws -> Int {
        let number = Int(frame.receivedAt)
        guard offers.indices.contains(number), offers[number].position == frame.position,
            offers[number].records.isEqual(frame.records)
        else { throw Violation(description: "\(frame.position) was never offered as it was read") }
        guard !stored.contains(number) else { throw Violation(description: "frame \(number) was stored already") }
        return number
    }

    /// A batch up to this frame is in Postgres.
    mutating func store(_ numbers: [Int]) {
        guard let last = numbers.last else { return }
        stored.formUnion(numbers)
        positions[offers[last].position.identity] = offers[last].position.seq
    }

    /// What is quarantined once it was done, stays.
    mutating func check(names: [String], mayForget: Bool) throws {
        let found = Set(names.filter { $0.contains(SpoolLog.quarantineSuffix) })
        guard mayForget || quarantined.isSubset(of: found) else {
            throw Violation(description: "\(quarantined.subtracting(found).sorted()) are gone")
        }
        quarantined = found
    }

    /// What reading a whole spool found, in order.
    ///
    /// - Parameter mayForget: frames that were found once without having been acknowledged need not be found again.
    mutating func check(read numbers: [Int], mayForget: Bool) throws {
        for (number, next) in zip(numbers, numbers.dropFirst()) where number >= next {
            throw Violation(description: "frame \(next) came after \(number)")
        }
        if mayForget { recovered = [] }
        let lost = acknowledged.union(recovered).subtracting(numbers).subtracting(stored).subtracting(damaged)
        guard lost.isEmpty else { throw Violation(description: "frames \(lost.sorted()) are lost") }
        recovered.formUnion(numbers)
    }
}

extension [UInt8] {
    /// As one comparison: a debug build compares elements one by one.
    fileprivate func isEqual(_ other: ArraySlice<UInt8>) -> Bool {
        withUnsafeBytes { bytes in
            other.withUnsafeBytes { other in
                bytes.count == other.count
                    && (bytes.isEmpty || memcmp(bytes.baseAddress!, other.baseAddress!, bytes.count) == 0)
            }
        }
    }
}

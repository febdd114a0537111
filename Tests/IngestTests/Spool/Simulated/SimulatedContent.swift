import TestSupport

/// A file's bytes: as the operating system's cache has them, and as the medium may have them.
///
/// What was changed since the last sync is kept change by change, so that at a loss of power each sector can end as any
/// version that it had since then, and the size too, independently.
struct SimulatedContent {
    static let sectorBytes = 512

    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        /// From the smaller of both sizes on there are zeros.
        case resize(from: Int, to: Int)

        var touched: Range<Int> {
            switch self {
            case .write(let offset, let bytes): offset..<(offset + bytes.count)
            case .resize(let old, let new): new..<max(old, new)
            }
        }
    }

    /// What reading gives.
    private(set) var bytes: [UInt8] = []
    /// What surely is on the medium.
    private var medium: [UInt8] = []
    /// `bytes` before the changes.
    private var base: [UInt8] = []
    private var changes: [Change] = []
    /// Whether a failed sync left the medium without what the cache has, which no later sync brings there.
    private var isDiverged = false

    var isSynchronized: Bool { changes.isEmpty && !isDiverged }

    mutating func write(_ new: [UInt8], at offset: Int) {
        guard !new.isEmpty else { return }
        if offset + new.count > bytes.count { resize(to: offset + new.count) }
        bytes.overwrite(new, at: offset)
        changes.append(.write(offset: offset, bytes: new))
    }

    mutating func resize(to size: Int) {
        guard size != bytes.count else { return }
        changes.append(.resize(from: bytes.count, to: size))
        bytes.setCount(size)
    }

    mutating func synchronize() {
        guard !changes.isEmpty else { return }
        if isDiverged {
            var isLonger = false
            for change in changes {
                if case .resize = change { isLonger = true }
                if change.touched.upperBound > medium.count { isLonger = true }
            }
            if isLonger { medium.setCount(bytes.count) }
            for sector in touchedSectors {
                let range = Self.range(of: sector, in: min(medium.count, bytes.count))
                if !range.isEmpty { medium.overwrite(Array(bytes[range]), at: range.lowerBound) }
            }
        } else {
            medium = bytes
        }
        base = bytes
        changes.removeAll()
    }

    /// A sync that failed: any of the changes may have reached the medium, and none will be tried again.
    mutating func failSynchronizing(_ random: inout SeededGenerator) {
        guard !changes.isEmpty else { return }
        medium = outcome(&random)
        base = bytes
        changes.removeAll()
        isDiverged = isDiverged || medium != bytes
    }

    mutating func losePower(_ random: inout SeededGenerator) {
        if !changes.isEmpty { medium = outcome(&random) }
        bytes = medium
        base = medium
        changes.removeAll()
        isDiverged = false
    }

    /// Damage: on the medium, and so in what is read from it.
    mutating func flip(bit: Int) {
        precondition(isSynchronized)
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        medium = bytes
        base = bytes
    }

    // MARK: What may be on the medium

    private func outcome(_ random: inout SeededGenerator) -> [UInt8] {
        let fate = Fate.allCases[Int(random.next() % 4)]
        var sizes = [medium.count]
        for change in changes {
            if case .resize(_, let size) = change { sizes.append(size) }
        }
        var result = medium
        result.setCount(max(sizes.max()!, bytes.count))
        for sector in touchedSectors {
            let touching = changes.indices.filter { Self.sectors(of: changes[$0].touched).contains(sector) }
            let kept = fate.kept(of: touching.count, &random)
            guard kept > 0 else { continue }
            let range = Self.range(of: sector, in: result.count)
            result.overwrite(version(of: range, after: touching.prefix(kept)), at: range.lowerBound)
        }
        result.setCount(sizes[fate.kept(of: sizes.count - 1, &random)])
        return result
    }

    private func version(of range: Range<Int>, after touching: ArraySlice<Int>) -> [UInt8] {
        var version = [UInt8](repeating: 0, count: range.count)
        if range.lowerBound < base.count {
            version.overwrite(Array(base[range.clamped(to: 0..<base.count)]), at: 0)
        }
        for index in touching {
            let part = range.clamped(to: changes[index].touched)
            guard !part.isEmpty else { continue }
            switch changes[index] {
            case .write(let offset, let bytes):
                version.overwrite(
                    Array(bytes[(part.lowerBound - offset)..<(part.upperBound - offset)]),
                    at: part.lowerBound - range.lowerBound)
            case .resize:
                version.overwrite([UInt8](repeating: 0, count: part.count), at: part.lowerBound - range.lowerBound)
            }
        }
        return version
    }

    private var touchedSectors: [Int] {
        var sectors: Set<Int> = []
        for change in changes { sectors.formUnion(Self.sectors(of: change.touched)) }
        return sectors.sorted()
    }

    private static func sectors(of bytes: Range<Int>) -> Range<Int> {
        guard !bytes.isEmpty else { return 0..<0 }
        return (bytes.lowerBound / sectorBytes)..<((bytes.upperBound + sectorBytes - 1) / sectorBytes)
    }

    private static func range(of sector: Int, in size: Int) -> Range<Int> {
        (sector * sectorBytes..<(sector + 1) * sectorBytes).clamped(to: 0..<size)
    }
}

extension SimulatedContent {
    /// How much of what was not synced is found again: the extremes are as likely as a mixture.
    enum Fate: CaseIterable {
        case none
        case all
        case any
        case someOrAll

        /// - Returns: how many of so many changes, in their order, reached the medium.
        func kept(of count: Int, _ random: inout SeededGenerator) -> Int {
            switch self {
            case .none: 0
            case .all: count
            case .any: Int(random.next() % UInt64(count + 1))
            case .someOrAll: random.next() % 4 == 0 ? Int(random.next() % UInt64(count + 1)) : count
            }
        }
    }
}

extension [UInt8] {
    /// As one copy: a debug build takes elements one by one.
    mutating func overwrite(_ new: [UInt8], at offset: Int) {
        withUnsafeMutableBytes { bytes in
            new.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<(offset + $0.count)]).copyMemory(from: $0)
            }
        }
    }

    /// Cuts, or appends zeros.
    mutating func setCount(_ count: Int) {
        if count <= self.count {
            removeLast(self.count - count)
        } else {
            append(contentsOf: [UInt8](repeating: 0, count: count - self.count))
        }
    }
}

import Foundation
import Synchronization

/// Time that a test turns; or the real one, for what runs in other processes.
final class TestClock: Sendable {
    /// 2026-03-02T03:00:00Z: noon in Seoul.
    static let start: Int64 = 1_772_420_400_000

    private let current = Atomic<Int64>(TestClock.start)
    private let isReal: Bool

    init(isReal: Bool = false) {
        self.isReal = isReal
    }

    var now: Int64 {
        isReal ? Int64(Date().timeIntervalSince1970 * 1000) : current.load(ordering: .relaxed)
    }

    func advance(_ ms: Int64) {
        current.add(ms, ordering: .relaxed)
    }
}

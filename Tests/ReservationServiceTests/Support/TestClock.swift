import Synchronization

/// A clock that a test turns: milliseconds since 1970.
final class TestClock: Sendable {
    /// 2026-06-01T03:00:00Z: noon in Seoul.
    static let start: Int64 = 1_780_282_800_000

    private let ms = Mutex(TestClock.start)

    var now: Int64 { ms.withLock { $0 } }

    func turn(to instant: Int64) { ms.withLock { $0 = instant } }

    func advance(seconds: Int64) { ms.withLock { $0 += seconds * 1000 } }
}

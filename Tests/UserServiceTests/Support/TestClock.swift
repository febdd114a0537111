import Foundation
import Synchronization

/// A clock that a test turns on.
final class TestClock: Sendable {
    /// Milliseconds since 1970.
    private let instant = Mutex(Int64(1_796_000_000_000))

    var now: Int64 { instant.withLock { $0 } }

    func advance(seconds: Int64) { instant.withLock { $0 += seconds * 1000 } }
}

import Foundation
import Synchronization

/// A clock that a test turns on. It stands at the time of its making.
final class TestClock: Sendable {
    /// Milliseconds since 1970.
    private let instant = Mutex(Int64(Date().timeIntervalSince1970) * 1000)

    var now: Int64 { instant.withLock { $0 } }

    func advance(seconds: Int64) { instant.withLock { $0 += seconds * 1000 } }
}

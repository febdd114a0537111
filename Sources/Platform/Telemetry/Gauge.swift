import Synchronization

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let current = Atomic<Int>(0)

    package init() {}

    package func set(_ value: Int) {
        current.store(value, ordering: .relaxed)
    }

    /// The value after the addition.
    @discardableResult
    package func add(_ amount: Int) -> Int {
        current.add(amount, ordering: .relaxed).newValue
    }

    package var value: Int { current.load(ordering: .relaxed) }
}

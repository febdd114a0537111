import Synchronization

/// How many exports are under way.
package final class ExportSlots: Sendable {
    /// Each holds a page of batches in memory.
    package static let maxExports = 8

    package struct AllTaken: Error {}

    /// Taken until it is let go of, whatever becomes of the answer.
    package final class Slot: Sendable {
        private let slots: ExportSlots

        fileprivate init(_ slots: ExportSlots) {
            self.slots = slots
        }

        deinit { slots.taken.withLock { $0 -= 1 } }
    }

    private let taken = Mutex(0)

    package init() {}

    package func take() throws(AllTaken) -> Slot {
        let isFree = taken.withLock { taken in
            guard taken < Self.maxExports else { return false }
            taken += 1
            return true
        }
        guard isFree else { throw AllTaken() }
        return Slot(self)
    }
}

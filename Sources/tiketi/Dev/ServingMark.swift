import Synchronization

/// Set once the services of this process run, and heed signals by themselves.
final class ServingMark: Sendable {
    private let mark = Atomic(false)

    var isSet: Bool { mark.load(ordering: .relaxed) }

    func set() {
        mark.store(true, ordering: .relaxed)
    }
}

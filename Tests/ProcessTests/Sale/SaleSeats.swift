import Synchronization
import TestSupport

/// Which seats are tried: any of one event, until most of it is sold, then those of the next.
final class SaleSeats: Sendable {
    /// Choices in a row that met a seat of somebody else's.
    static let maxMisses = 12

    private struct State {
        var place = 0
        var misses = 0
    }

    private let events: [String]
    private let seats: [String]
    private let state = Mutex(State())

    /// - Parameter seats: of each event.
    init(events: [String], seats: [String]) {
        self.events = events
        self.seats = seats
    }

    func choose(_ count: Int, using generator: inout SeededGenerator) -> (event: String, seats: [String]) {
        var chosen: Set<String> = []
        while chosen.count < count { chosen.insert(seats.randomElement(using: &generator)!) }
        return (events[state.withLock { $0.place }], chosen.sorted())
    }

    func wasFree() { state.withLock { $0.misses = 0 } }

    func wasTaken(_ event: String) {
        state.withLock { state in
            guard events[state.place] == event else { return }
            state.misses += 1
            guard state.misses >= Self.maxMisses else { return }
            state.misses = 0
            // Those of the first are free again, as far as they were given back.
            state.place = (state.place + 1) % events.count
        }
    }
}

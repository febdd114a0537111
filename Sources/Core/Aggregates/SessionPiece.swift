/// What one session key did within one slot of half an hour.
///
/// Two beacons of a key belong to one session when they are less than 30 minutes apart; so all of its beacons within a
/// slot do, and a session is a chain of pieces in slots that follow one another. Pieces of the same key and slot merge in
/// any order to the same piece.
package struct SessionPiece: Sendable, Equatable {
    /// Two neighbours this far apart belong to two sessions, nearer ones to one. It is the length of a slot, too.
    package static let gapMs: Int64 = 30 * 60 * 1000

    /// The session key's hash.
    package var session: UInt64
    /// The first and the last beacon of the slot, in milliseconds since 1970.
    package var first: Int64
    package var last: Int64
    /// When the session began: `first`, or before the slot.
    package var origin: Int64

    package init(session: UInt64, first: Int64, last: Int64, origin: Int64) {
        self.session = session
        self.first = first
        self.last = last
        self.origin = origin
    }

    /// Slots since 1970.
    package static func slot(of instant: Int64) -> Int32 {
        Int32(clamping: floorDiv(instant, gapMs))
    }

    package static func start(ofSlot slot: Int32) -> Int64 { Int64(slot) * gapMs }

    package var slot: Int32 { Self.slot(of: first) }

    /// Whether one session goes on from here to `next`, a later piece of the same key.
    package func goesOn(to next: SessionPiece) -> Bool { next.first - last < Self.gapMs }

    /// Adds what another piece of the same key and slot knows. Beacons that are added can only join sessions, so the
    /// earlier origin is the later knowledge.
    package mutating func merge(_ other: SessionPiece) {
        first = min(first, other.first)
        last = max(last, other.last)
        origin = min(origin, other.origin)
    }
}
